internal import CLinux
internal import Glibc

/// A POSIX thread that runs one closure.
public struct Thread: ~Copyable, Sendable {
    private let handle: pthread_t

    /// What a thread is started with: made by one thread and taken by the other, once, in that order.
    private final class Start {
        let body: () -> Void
        let name: String
        init(name: String, body: @escaping () -> Void) {
            self.name = name
            self.body = body
        }
    }

    /// Starts a thread. All signals are blocked in it: the main thread alone handles them.
    ///
    /// `body` is `sending`: what it captures becomes the new thread's own.
    public init(name: String, stackSize: Int = 2 << 20, _ body: sending @escaping () -> Void) {
        var attributes = pthread_attr_t()
        unsafe pthread_attr_init(&attributes)
        unsafe pthread_attr_setstacksize(&attributes, stackSize)
        let start = unsafe Unmanaged.passRetained(Start(name: String(name.prefix(15)), body: body))
        var everything = sigset_t()
        var before = sigset_t()
        unsafe sigfillset(&everything)
        unsafe pthread_sigmask(SIG_SETMASK, &everything, &before)
        var handle = pthread_t()
        let code = unsafe pthread_create(
            &handle, &attributes,
            { argument in
                let start = unsafe Unmanaged<Start>.fromOpaque(argument.unsafelyUnwrapped).takeRetainedValue()
                unsafe kb_name_thread(start.name)
                start.body()
                return nil
            }, start.toOpaque())
        unsafe pthread_sigmask(SIG_SETMASK, &before, nil)
        unsafe pthread_attr_destroy(&attributes)
        precondition(code == 0, "pthread_create failed: \(code)")
        self.handle = handle
    }

    /// The calling thread will not disturb those that answer requests: it does what takes milliseconds, and need not begin at once. It keeps its
    /// share of the processor, unlike with a lower priority, since others may wait for what it holds. False when the kernel refuses.
    @discardableResult
    public static func giveWay() -> Bool { kb_give_way() == 0 }

    /// Waits for the thread to end.
    public consuming func join() { pthread_join(handle, nil) }
    /// Lets the thread go on by itself.
    public consuming func detach() { pthread_detach(handle) }
}
