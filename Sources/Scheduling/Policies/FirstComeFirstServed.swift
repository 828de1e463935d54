/// `fcfs`: in order of arrival; the latest arrival gives way. Every decision is the default one.
public struct FirstComeFirstServed: SchedulerPolicy {
    /// The policy has no parameters.
    public init() {}
}
