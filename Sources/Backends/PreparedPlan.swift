public import SharedValues
public import Tensors

/// A plan on its device. Not Sendable: it belongs to one thread at a time, which may hand it on as a whole.
public protocol PreparedPlan: AnyObject {
    /// Gives the plan its key/value cache; must be called before `submit`. Precondition: same layers as the plan.
    /// Throws where the device has no kernel for such a cache.
    func attach(_ cache: KVCacheMemory) throws(BackendError)

    /// Copies blocks between the attached cache and its swap space, in the rounds of `BlockMove.Direction`: all copies of
    /// one round are made before any of the next, and all rounds before the next submitted batch reads or writes the
    /// cache. May return before the copies are done; `finishCopies` does not.
    /// Precondition: within a round no two copies have the same target, and none reads what another one writes.
    func copyBlocks(_ copies: [BlockMove]) throws(BackendError)

    /// Returns when all copies that `copyBlocks` has begun are done.
    func finishCopies() throws(BackendError)

    /// Replaces what is in an adapter slot by `matrices`, each of the shape of its set and of any dense type. The slot
    /// has no matrices in sets that are not named. Precondition: the plan has that slot, the sets are those of
    /// `ForwardPlan.adapterTargets`, down and up matrix of a target come together, and every batch was waited for.
    func setAdapter(_ matrices: [MatrixSetID: HostTensor], slot: Int) throws(BackendError)

    /// Begins to compute `batch`. A device may still compute when this returns; the batch itself is no longer needed.
    /// Precondition: every earlier batch was waited for.
    func submit(_ batch: borrowing ForwardBatch) throws(BackendError)

    /// Returns when the submitted batch is computed, with what its row requests ask for, valid until the next `submit`.
    /// Precondition: a batch was submitted, and `submit` did not throw.
    func wait() throws(BackendError) -> SampledRows

    /// How many rows of the last batch that was waited for chose experts in which memory; nil: no expert is in the host's
    /// memory beside a device.
    var expertRows: ExpertRows? { get }

    /// Copies the logits of a sample row of the last batch, for which the device returned candidates, to where `withRow`
    /// of that batch's rows finds them.
    func fetchLogits(of row: Int) throws(BackendError)

    /// Computes `batch`, one kernel after another, and returns the time of each by the device's clock, in order.
    /// Throws `unsupported` where the device has no clock for kernels.
    func time(_ batch: borrowing ForwardBatch) throws(BackendError) -> [KernelTiming]
}

extension PreparedPlan {
    /// Nil, for devices that keep all experts in one memory.
    public var expertRows: ExpertRows? { nil }

    /// Does nothing, for backends that return the logits of every row.
    public func fetchLogits(of row: Int) throws(BackendError) {}

    /// Does nothing, for devices whose copies are done when `copyBlocks` returns.
    public func finishCopies() throws(BackendError) {}
}

/// The largest batch that a prepared plan must take.
public struct BatchLimits: Sendable, Hashable {
    /// Tokens in a batch, over all sequences.
    public let maxTokenCount: Int
    /// Sequences in a batch.
    public let maxSequenceCount: Int
    /// Rows whose logits are requested.
    public let maxSampleCount: Int
    /// Positions of one sequence.
    public let maxContextLength: Int

    public init(maxTokenCount: Int, maxSequenceCount: Int, maxSampleCount: Int, maxContextLength: Int) {
        self.maxTokenCount = maxTokenCount
        self.maxSequenceCount = maxSequenceCount
        self.maxSampleCount = maxSampleCount
        self.maxContextLength = maxContextLength
    }
}
