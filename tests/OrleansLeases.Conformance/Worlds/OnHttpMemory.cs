using OrleansLeases.Conformance.Suites;

namespace OrleansLeases.Conformance.Worlds.OnHttpMemory;

public sealed class Access : AccessSuite<HttpMemoryWorld>;

public sealed class Acquire : AcquireSuite<HttpMemoryWorld>;

public sealed class BadInput : BadInputSuite<HttpMemoryWorld>;

public sealed class Batch : BatchSuite<HttpMemoryWorld>;

public sealed class BoundKeys : BoundKeysSuite<HttpMemoryWorld>;

public sealed class Break : BreakSuite<HttpMemoryWorld>;

public sealed class Cancellation : CancellationSuite<HttpMemoryWorld>;

public sealed class Counters : CountersSuite<HttpMemoryWorld>;

public sealed class History : HistorySuite<HttpMemoryWorld>;

public sealed class HoldAtLeast : HoldAtLeastSuite<HttpMemoryWorld>;

public sealed class Info : InfoSuite<HttpMemoryWorld>;

public sealed class KeyExpiry : KeyExpirySuite<HttpMemoryWorld>;

public sealed class KeyListing : KeyListingSuite<HttpMemoryWorld>;

public sealed class Keys : KeysSuite<HttpMemoryWorld>;

public sealed class Listing : ListingSuite<HttpMemoryWorld>;

public sealed class LockDelay : LockDelaySuite<HttpMemoryWorld>;

public sealed class Names : NamesSuite<HttpMemoryWorld>;

public sealed class Reads : ReadsSuite<HttpMemoryWorld>;

public sealed class Release : ReleaseSuite<HttpMemoryWorld>;

public sealed class RenewBatch : RenewBatchSuite<HttpMemoryWorld>;

public sealed class Renew : RenewSuite<HttpMemoryWorld>;

public sealed class RequestIds : RequestIdsSuite<HttpMemoryWorld>;

public sealed class SharedLeases : SharedLeasesSuite<HttpMemoryWorld>;

public sealed class Transfer : TransferSuite<HttpMemoryWorld>;

public sealed class Waiting : WaitingSuite<HttpMemoryWorld>;

public sealed class Watch : WatchSuite<HttpMemoryWorld>;
