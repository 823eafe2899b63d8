internal import JSON
internal import Logging

/// How one message of the control plane's log is written. Pure.
enum LogLine {
    /// `2026-01-31T12:00:00.000Z warning: text key=value`, on one line whatever the text holds.
    static func text(time: Int64, level: Logger.Level, message: String, metadata: Logger.Metadata) -> String {
        let pairs = metadata.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
        return "\(Timestamp.rfc3339(time)) \(level.rawValue): \(oneLine(message + pairs))\n"
    }

    /// `{"time":…,"level":…,"message":…,"metadata":{…}}`
    static func json(time: Int64, level: Logger.Level, message: String, metadata: Logger.Metadata) -> String {
        var line: Object = ["time": .string(Timestamp.rfc3339(time)), "level": .string(level.rawValue), "message": .string(message)]
        if !metadata.isEmpty {
            line["metadata"] = .object(Object(metadata.sorted { $0.key < $1.key }.map { ($0.key, .string("\($0.value)")) }))
        }
        return String(decoding: Writer.compact(.object(line)), as: UTF8.self) + "\n"
    }

    /// A message may quote what a file or a peer said: no control character of it reaches a terminal, and no line break makes a second line.
    private static func oneLine(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isControl) else { return text }
        return text.unicodeScalars.map { isControl($0) ? "\\u{\(String($0.value, radix: 16))}" : String($0) }.joined()
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value) || scalar.value == 0x2028 || scalar.value == 0x2029
    }
}
