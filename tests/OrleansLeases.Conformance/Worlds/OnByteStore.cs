using OrleansLeases.Conformance.Suites;

namespace OrleansLeases.Conformance.Worlds.OnByteStore;

public sealed class Access : AccessSuite<ByteStoreWorld>;

public sealed class Acquire : AcquireSuite<ByteStoreWorld>;

public sealed class BadInput : BadInputSuite<ByteStoreWorld>;

public sealed class Batch : BatchSuite<ByteStoreWorld>;

public sealed class BoundKeys : BoundKeysSuite<ByteStoreWorld>;

public sealed class Break : BreakSuite<ByteStoreWorld>;

public sealed class Cancellation : CancellationSuite<ByteStoreWorld>;

public sealed class Counters : CountersSuite<ByteStoreWorld>;

public sealed class History : HistorySuite<ByteStoreWorld>;

public sealed class HoldAtLeast : HoldAtLeastSuite<ByteStoreWorld>;

public sealed class Info : InfoSuite<ByteStoreWorld>;

public sealed class KeyExpiry : KeyExpirySuite<ByteStoreWorld>;

public sealed class KeyListing : KeyListingSuite<ByteStoreWorld>;

public sealed class Keys : KeysSuite<ByteStoreWorld>;

public sealed class Listing : ListingSuite<ByteStoreWorld>;

public sealed class LockDelay : LockDelaySuite<ByteStoreWorld>;

public sealed class Names : NamesSuite<ByteStoreWorld>;

public sealed class Reads : ReadsSuite<ByteStoreWorld>;

public sealed class Release : ReleaseSuite<ByteStoreWorld>;

public sealed class RenewBatch : RenewBatchSuite<ByteStoreWorld>;

public sealed class Renew : RenewSuite<ByteStoreWorld>;

public sealed class RequestIds : RequestIdsSuite<ByteStoreWorld>;

public sealed class SharedLeases : SharedLeasesSuite<ByteStoreWorld>;

public sealed class Transfer : TransferSuite<ByteStoreWorld>;

public sealed class Waiting : WaitingSuite<ByteStoreWorld>;

public sealed class Watch : WatchSuite<ByteStoreWorld>;
