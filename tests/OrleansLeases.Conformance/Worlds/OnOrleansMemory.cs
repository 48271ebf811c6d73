using OrleansLeases.Conformance.Suites;
using OrleansLeases.Conformance.Worlds.Silos;

namespace OrleansLeases.Conformance.Worlds.OnOrleansMemory;

public sealed class Access : AccessSuite<OrleansMemoryWorld>;

public sealed class Acquire : AcquireSuite<OrleansMemoryWorld>;

public sealed class BadInput : BadInputSuite<OrleansMemoryWorld>;

public sealed class Batch : BatchSuite<OrleansMemoryWorld>;

public sealed class BoundKeys : BoundKeysSuite<OrleansMemoryWorld>;

public sealed class Break : BreakSuite<OrleansMemoryWorld>;

public sealed class Cancellation : CancellationSuite<OrleansMemoryWorld>;

public sealed class Counters : CountersSuite<OrleansMemoryWorld>;

public sealed class History : HistorySuite<OrleansMemoryWorld>;

public sealed class HoldAtLeast : HoldAtLeastSuite<OrleansMemoryWorld>;

public sealed class Info : InfoSuite<OrleansMemoryWorld>;

public sealed class KeyExpiry : KeyExpirySuite<OrleansMemoryWorld>;

public sealed class KeyListing : KeyListingSuite<OrleansMemoryWorld>;

public sealed class Keys : KeysSuite<OrleansMemoryWorld>;

public sealed class Listing : ListingSuite<OrleansMemoryWorld>;

public sealed class LockDelay : LockDelaySuite<OrleansMemoryWorld>;

public sealed class Names : NamesSuite<OrleansMemoryWorld>;

public sealed class Reads : ReadsSuite<OrleansMemoryWorld>;

public sealed class Release : ReleaseSuite<OrleansMemoryWorld>;

public sealed class RenewBatch : RenewBatchSuite<OrleansMemoryWorld>;

public sealed class Renew : RenewSuite<OrleansMemoryWorld>;

public sealed class RequestIds : RequestIdsSuite<OrleansMemoryWorld>;

public sealed class SharedLeases : SharedLeasesSuite<OrleansMemoryWorld>;

public sealed class Transfer : TransferSuite<OrleansMemoryWorld>;

public sealed class Waiting : WaitingSuite<OrleansMemoryWorld>;

public sealed class Watch : WatchSuite<OrleansMemoryWorld>;
