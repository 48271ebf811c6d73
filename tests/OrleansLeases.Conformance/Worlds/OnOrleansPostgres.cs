using OrleansLeases.Conformance.Suites;
using OrleansLeases.Conformance.Worlds.Silos;

namespace OrleansLeases.Conformance.Worlds.OnOrleansPostgres;

public sealed class Access : AccessSuite<OrleansPostgresWorld>;

public sealed class Acquire : AcquireSuite<OrleansPostgresWorld>;

public sealed class BadInput : BadInputSuite<OrleansPostgresWorld>;

public sealed class Batch : BatchSuite<OrleansPostgresWorld>;

public sealed class BoundKeys : BoundKeysSuite<OrleansPostgresWorld>;

public sealed class Break : BreakSuite<OrleansPostgresWorld>;

public sealed class Cancellation : CancellationSuite<OrleansPostgresWorld>;

public sealed class Counters : CountersSuite<OrleansPostgresWorld>;

public sealed class History : HistorySuite<OrleansPostgresWorld>;

public sealed class HoldAtLeast : HoldAtLeastSuite<OrleansPostgresWorld>;

public sealed class Info : InfoSuite<OrleansPostgresWorld>;

public sealed class KeyExpiry : KeyExpirySuite<OrleansPostgresWorld>;

public sealed class KeyListing : KeyListingSuite<OrleansPostgresWorld>;

public sealed class Keys : KeysSuite<OrleansPostgresWorld>;

public sealed class Listing : ListingSuite<OrleansPostgresWorld>;

public sealed class LockDelay : LockDelaySuite<OrleansPostgresWorld>;

public sealed class Names : NamesSuite<OrleansPostgresWorld>;

public sealed class Reads : ReadsSuite<OrleansPostgresWorld>;

public sealed class Release : ReleaseSuite<OrleansPostgresWorld>;

public sealed class RenewBatch : RenewBatchSuite<OrleansPostgresWorld>;

public sealed class Renew : RenewSuite<OrleansPostgresWorld>;

public sealed class RequestIds : RequestIdsSuite<OrleansPostgresWorld>;

public sealed class SharedLeases : SharedLeasesSuite<OrleansPostgresWorld>;

public sealed class Transfer : TransferSuite<OrleansPostgresWorld>;

public sealed class Waiting : WaitingSuite<OrleansPostgresWorld>;

public sealed class Watch : WatchSuite<OrleansPostgresWorld>;
