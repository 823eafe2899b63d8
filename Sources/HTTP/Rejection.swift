/// The rule that a message broke: one case a rule.
///
/// A rejected message leaves its connection without a defined position, so that the answer is always followed by a close.
public enum Rejection: UInt8, Error, Sendable, CaseIterable, BitwiseCopyable {
    // Any line (RFC 9112 §2.2).
    case controlByte, bareLineFeed, bareCarriageReturn
    // The request line (RFC 9112 §3).
    case emptyLines, malformedRequestLine, malformedMethod, methodTooLong, malformedVersion, unsupportedVersion
    case targetTooLong, targetByte, targetFragment, targetForm, targetUserinfo, targetAuthority, authorityMismatch
    // Field lines (RFC 9112 §5).
    case headTooLarge, tooManyFields, fieldNameTooLong, foldedLine, missingColon, emptyFieldName, spaceBeforeColon, malformedFieldName
    case lookalikeField
    // Host (RFC 9112 §3.2).
    case missingHost, repeatedHost, malformedHost
    // Framing (RFC 9112 §6).
    case lengthAndCoding, repeatedLength, malformedLength, repeatedCoding, unsupportedCoding, codingInHTTP10
    // Connection and Expect (RFC 9110 §7.6.1, §10.1.1).
    case malformedConnection, tooManyConnectionOptions, protectedConnectionOption, unsupportedExpectation
    // The status line (RFC 9112 §4).
    case notHTTP, malformedStatusLine, statusOutOfRange
    // Chunks and trailers (RFC 9112 §7.1).
    case malformedChunkSize, chunkTooLarge, malformedChunkExtension, chunkExtensionsTooLong, unterminatedChunk
    case trailersTooLarge, forbiddenTrailer

    /// The status that answers a request. Whatever was wrong with a response, its answer is 502.
    public var status: Int {
        switch self {
        case .methodTooLong, .unsupportedCoding: 501
        case .unsupportedVersion: 505
        case .targetTooLong: 414
        case .headTooLarge, .tooManyFields, .fieldNameTooLong, .tooManyConnectionOptions, .trailersTooLarge: 431
        case .unsupportedExpectation: 417
        default: 400
        }
    }

    /// The rule that a control byte breaks where none may stand.
    static func forControl(_ byte: UInt8) -> Rejection {
        switch byte {
        case Byte.lineFeed: .bareLineFeed
        case Byte.carriageReturn: .bareCarriageReturn
        default: .controlByte
        }
    }
}

extension Rejection {
    /// A stable word for logs, metrics and the error body.
    public var code: StaticString { text.code }

    /// One sentence that says what was wrong, without any byte of the message.
    public var message: StaticString { text.message }

    private var text: (code: StaticString, message: StaticString) {
        switch self {
        case .controlByte: ("control_byte", "A control byte stands in the head.")
        case .bareLineFeed: ("bare_line_feed", "A line ends with LF alone; CR LF is needed.")
        case .bareCarriageReturn: ("bare_carriage_return", "A CR is not followed by LF.")
        case .emptyLines: ("empty_lines", "More than one empty line precedes the request line.")
        case .malformedRequestLine: ("malformed_request_line", "The request line is not `METHOD TARGET HTTP/1.1` with single spaces.")
        case .malformedMethod: ("malformed_method", "The method is not a token.")
        case .methodTooLong: ("method_too_long", "The method is longer than 32 bytes.")
        case .malformedVersion: ("malformed_version", "The version is not of the form `HTTP/1.1`.")
        case .unsupportedVersion: ("unsupported_version", "Only HTTP/1.1 and HTTP/1.0 are spoken here.")
        case .targetTooLong: ("target_too_long", "The request line is longer than a head may be.")
        case .targetByte: ("target_byte", "The target holds a byte outside 0x21-0x7e; percent-encode it.")
        case .targetFragment: ("target_fragment", "The target holds a `#`; a fragment is never sent.")
        case .targetForm: ("target_form", "The target must be a path that begins with `/`, or an http URL with one.")
        case .targetUserinfo: ("target_userinfo", "The target's authority holds user information.")
        case .targetAuthority: ("target_authority", "The target's authority is not a host and a port.")
        case .authorityMismatch: ("authority_mismatch", "The target's authority and the Host field differ.")
        case .headTooLarge: ("head_too_large", "The head is larger than the limit.")
        case .tooManyFields: ("too_many_fields", "The head has more field lines than the limit.")
        case .fieldNameTooLong: ("field_name_too_long", "A field name is longer than 256 bytes.")
        case .foldedLine: ("folded_line", "A field line begins with white space; line folding is obsolete.")
        case .missingColon: ("missing_colon", "A field line has no colon.")
        case .emptyFieldName: ("empty_field_name", "A field line begins with a colon.")
        case .spaceBeforeColon: ("space_before_colon", "White space stands between a field name and its colon.")
        case .malformedFieldName: ("malformed_field_name", "A field name is not a token.")
        case .lookalikeField: ("lookalike_field", "A field name resembles one that frames the message.")
        case .missingHost: ("missing_host", "There is no Host field.")
        case .repeatedHost: ("repeated_host", "There is more than one Host field.")
        case .malformedHost: ("malformed_host", "The Host field is not a host and an optional port.")
        case .lengthAndCoding: ("length_and_coding", "Content-Length and Transfer-Encoding are both given.")
        case .repeatedLength: ("repeated_length", "Content-Length is given more than once.")
        case .malformedLength: ("malformed_length", "Content-Length is not a number of 1 to 18 digits.")
        case .repeatedCoding: ("repeated_coding", "Transfer-Encoding is given more than once.")
        case .unsupportedCoding: ("unsupported_coding", "Transfer-Encoding is not exactly `chunked`.")
        case .codingInHTTP10: ("coding_in_http10", "Transfer-Encoding is not part of HTTP/1.0.")
        case .malformedConnection: ("malformed_connection", "The Connection field is not a list of tokens.")
        case .tooManyConnectionOptions: ("too_many_connection_options", "The Connection field names more than 32 options.")
        case .protectedConnectionOption: ("protected_connection_option", "The Connection field names a field that is not its to remove.")
        case .unsupportedExpectation: ("unsupported_expectation", "The only expectation met here is `100-continue`.")
        case .notHTTP: ("not_http", "The answer does not begin with `HTTP/`.")
        case .malformedStatusLine: ("malformed_status_line", "The status line is not `HTTP/1.1 STATUS REASON`.")
        case .statusOutOfRange: ("status_out_of_range", "The status is not between 100 and 599.")
        case .malformedChunkSize: ("malformed_chunk_size", "A chunk size is not a number of 1 to 16 hexadecimal digits.")
        case .chunkTooLarge: ("chunk_too_large", "A chunk size does not fit 63 bits.")
        case .malformedChunkExtension: ("malformed_chunk_extension", "A chunk extension is not `;name` or `;name=value`.")
        case .chunkExtensionsTooLong: ("chunk_extensions_too_long", "The chunk extensions of the body are larger than the limit.")
        case .unterminatedChunk: ("unterminated_chunk", "A chunk's data is not followed by CR LF.")
        case .trailersTooLarge: ("trailers_too_large", "The trailer section is larger than the limit.")
        case .forbiddenTrailer: ("forbidden_trailer", "A trailer field may only stand in the head.")
        }
    }
}
