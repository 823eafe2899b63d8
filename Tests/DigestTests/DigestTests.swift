import Digest
import Testing

@Suite struct SHA256Tests {
    /// FIPS 180-4's examples (NIST, "SHA256.pdf"), and the empty message.
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
        (String(repeating: "a", count: 1_000_000), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
    ])
    func hashesAsTheStandardSays(message: String, digest: String) {
        #expect(Hexadecimal.encode(SHA256.hash(message)) == digest)
        #expect(Hexadecimal.encode(Array(message.utf8).withUnsafeBytes { SHA256.hash($0) }) == digest)
    }

    @Test func noMemoryAtAllHashesAsTheEmptyMessage() {
        #expect(SHA256.hash(UnsafeRawBufferPointer(start: nil, count: 0)) == SHA256.hash(""))
    }
}

@Suite struct HMACSHA256Tests {
    /// RFC 4231 §4.2, §4.3, §4.4, §4.7; the last, with an empty key, by Python's hmac module.
    @Test(arguments: [
        (
            [UInt8](repeating: 0x0B, count: 20), Array("Hi There".utf8),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        ),
        (
            Array("Jefe".utf8), Array("what do ya want for nothing?".utf8),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        ),
        (
            [UInt8](repeating: 0xAA, count: 20), [UInt8](repeating: 0xDD, count: 50),
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"
        ),
        (
            [UInt8](repeating: 0xAA, count: 131), Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        ),
        ([], Array("message".utf8), "eb08c1f56d5ddee07f7bdf80468083da06b64cf4fac64fe3a90883df5feacae4"),
    ])
    func authenticatesAsTheRFCSays(key: [UInt8], message: [UInt8], code: String) {
        #expect(Hexadecimal.encode(HMACSHA256.authenticate(message, key: key)) == code)
    }

    @Test func anEmptyKeyIsNotTheKeyBefore() {
        _ = HMACSHA256.authenticate([1], key: [1, 2, 3])
        #expect(HMACSHA256.authenticate([1], key: []) != HMACSHA256.authenticate([1], key: [1, 2, 3]))
    }
}

@Suite struct RandomTests {
    @Test func bytesComeInTheAskedNumberAndDiffer() {
        #expect(Random.bytes(0) == [])
        let draws = Set((0..<1_000).map { _ in Random.bytes(16) })
        #expect(draws.count == 1_000)
        #expect(draws.allSatisfy { $0.count == 16 })
    }
}

@Suite struct ConstantTimeTests {
    @Test(
        arguments: [
            ([], [], true), ([1, 2], [1, 2], true), ([1, 2], [1, 3], false), ([1, 2], [1], false), ([], [0], false),
        ] as [([UInt8], [UInt8], Bool)])
    func equalityIsOfLengthAndBytes(left: [UInt8], right: [UInt8], isEqual: Bool) {
        #expect(ConstantTime.equal(left, right) == isEqual)
    }
}

@Suite struct MemoryTests {
    @Test func cleansedBytesAreZero() {
        var bytes: [UInt8] = [1, 2, 3]
        Memory.cleanse(&bytes)
        #expect(bytes == [0, 0, 0])
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 4, alignment: 1)
        defer { memory.deallocate() }
        memory.copyBytes(from: [9, 9, 9, 9])
        Memory.cleanse(UnsafeMutableRawBufferPointer(rebasing: memory[1..<3]))
        #expect(Array(memory) == [9, 0, 0, 9])
        var none: [UInt8] = []
        Memory.cleanse(&none)
        #expect(none.isEmpty)
    }
}
