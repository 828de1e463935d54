/// What a client says about a request beside its prompt. Declared here once, and carried from the server's body to the
/// scheduler.
public struct RequestAttributes: Sendable, Hashable {
    /// How tokens are chosen.
    public var sampling: SamplingParameters
    /// Policies that look at priorities run lower numbers first: `priority` in the body.
    public var priority: Int
    /// The user or team that the request belongs to, for policies that share between tenants: `user` in the body.
    /// Requests without one belong to the tenant with the empty name.
    public var tenant: String
    /// Seconds from arrival within which the client needs an answer: `deadline_ms` in the body. Nil: no deadline.
    public var deadlineSeconds: Double?
    /// Separates prefix caches: requests share blocks only with others of the same salt.
    public var cacheSalt: String?
    /// The LoRA adapter that the request's `model` names; nil: the model without one.
    public var adapter: AdapterID?

    public init(
        sampling: SamplingParameters = SamplingParameters(), priority: Int = 0, tenant: String = "",
        deadlineSeconds: Double? = nil, cacheSalt: String? = nil, adapter: AdapterID? = nil
    ) {
        self.sampling = sampling
        self.priority = priority
        self.tenant = tenant
        self.deadlineSeconds = deadlineSeconds
        self.cacheSalt = cacheSalt
        self.adapter = adapter
    }
}
