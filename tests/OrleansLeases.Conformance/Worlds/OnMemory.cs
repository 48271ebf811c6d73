using OrleansLeases.Conformance.Suites;

namespace OrleansLeases.Conformance.Worlds.OnMemory;

public sealed class Access : AccessSuite<MemoryWorld>;

public sealed class Acquire : AcquireSuite<MemoryWorld>;

public sealed class BadInput : BadInputSuite<MemoryWorld>;

public sealed class Batch : BatchSuite<MemoryWorld>;

public sealed class BoundKeys : BoundKeysSuite<MemoryWorld>;

public sealed class Break : BreakSuite<MemoryWorld>;

public sealed class Cancellation : CancellationSuite<MemoryWorld>;

public sealed class Counters : CountersSuite<MemoryWorld>;

public sealed class History : HistorySuite<MemoryWorld>;

public sealed class HoldAtLeast : HoldAtLeastSuite<MemoryWorld>;

public sealed class Info : InfoSuite<MemoryWorld>;

public sealed class KeyExpiry : KeyExpirySuite<MemoryWorld>;

public sealed class KeyListing : KeyListingSuite<MemoryWorld>;

public sealed class Keys : KeysSuite<MemoryWorld>;

public sealed class Listing : ListingSuite<MemoryWorld>;

public sealed class LockDelay : LockDelaySuite<MemoryWorld>;

public sealed class Names : NamesSuite<MemoryWorld>;

public sealed class Reads : ReadsSuite<MemoryWorld>;

public sealed class Release : ReleaseSuite<MemoryWorld>;

public sealed class RenewBatch : RenewBatchSuite<MemoryWorld>;

public sealed class Renew : RenewSuite<MemoryWorld>;

public sealed class RequestIds : RequestIdsSuite<MemoryWorld>;

public sealed class SharedLeases : SharedLeasesSuite<MemoryWorld>;

public sealed class Transfer : TransferSuite<MemoryWorld>;

public sealed class Waiting : WaitingSuite<MemoryWorld>;

public sealed class Watch : WatchSuite<MemoryWorld>;
