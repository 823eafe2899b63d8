internal import CLinux
internal import Glibc

/// A POSIX thread that runs one closure.
public struct Thread: ~Copyable, Sendable {
    /// Who goes first where there are more threads than processors.
    public enum Priority: Sendable {
        case normal
        /// Makes way for requests (`setpriority(2)`, which is a thread's own in Linux): a third of what others get, and at once out of their way
        /// when they wake.
        case background

        /// Of the calling thread, for good.
        fileprivate func take() {
            guard self == .background else { return }
            let thread = __priority_which_t(PRIO_PROCESS.rawValue)
            setpriority(thread, 0, getpriority(thread, 0) + 5)
        }
    }

    private let handle: pthread_t

    /// What a thread is started with: made by one thread and taken by the other, once, in that order.
    private final class Start {
        let body: () -> Void
        let name: String
        let priority: Priority
        init(name: String, priority: Priority, body: @escaping () -> Void) {
            self.name = name
            self.priority = priority
            self.body = body
        }
    }

    /// Starts a thread. All signals are blocked in it: the main thread alone handles them.
    ///
    /// `body` is `sending`: what it captures becomes the new thread's own.
    public init(name: String, priority: Priority = .normal, stackSize: Int = 2 << 20, _ body: sending @escaping () -> Void) {
        var attributes = pthread_attr_t()
        unsafe pthread_attr_init(&attributes)
        unsafe pthread_attr_setstacksize(&attributes, stackSize)
        let start = unsafe Unmanaged.passRetained(Start(name: String(name.prefix(15)), priority: priority, body: body))
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
                start.priority.take()
                start.body()
                return nil
            }, start.toOpaque())
        unsafe pthread_sigmask(SIG_SETMASK, &before, nil)
        unsafe pthread_attr_destroy(&attributes)
        precondition(code == 0, "pthread_create failed: \(code)")
        self.handle = handle
    }

    /// Waits for the thread to end.
    public consuming func join() { pthread_join(handle, nil) }
    /// Lets the thread go on by itself.
    public consuming func detach() { pthread_detach(handle) }
}
