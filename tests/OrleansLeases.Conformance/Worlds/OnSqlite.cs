using OrleansLeases.Conformance.Suites;

namespace OrleansLeases.Conformance.Worlds.OnSqlite;

public sealed class Access : AccessSuite<SqliteWorld>;

public sealed class Acquire : AcquireSuite<SqliteWorld>;

public sealed class BadInput : BadInputSuite<SqliteWorld>;

public sealed class Batch : BatchSuite<SqliteWorld>;

public sealed class BoundKeys : BoundKeysSuite<SqliteWorld>;

public sealed class Break : BreakSuite<SqliteWorld>;

public sealed class Cancellation : CancellationSuite<SqliteWorld>;

public sealed class Counters : CountersSuite<SqliteWorld>;

public sealed class History : HistorySuite<SqliteWorld>;

public sealed class HoldAtLeast : HoldAtLeastSuite<SqliteWorld>;

public sealed class Info : InfoSuite<SqliteWorld>;

public sealed class KeyExpiry : KeyExpirySuite<SqliteWorld>;

public sealed class KeyListing : KeyListingSuite<SqliteWorld>;

public sealed class Keys : KeysSuite<SqliteWorld>;

public sealed class Listing : ListingSuite<SqliteWorld>;

public sealed class LockDelay : LockDelaySuite<SqliteWorld>;

public sealed class Names : NamesSuite<SqliteWorld>;

public sealed class Reads : ReadsSuite<SqliteWorld>;

public sealed class Release : ReleaseSuite<SqliteWorld>;

public sealed class RenewBatch : RenewBatchSuite<SqliteWorld>;

public sealed class Renew : RenewSuite<SqliteWorld>;

public sealed class RequestIds : RequestIdsSuite<SqliteWorld>;

public sealed class SharedLeases : SharedLeasesSuite<SqliteWorld>;

public sealed class Transfer : TransferSuite<SqliteWorld>;

public sealed class Waiting : WaitingSuite<SqliteWorld>;

public sealed class Watch : WatchSuite<SqliteWorld>;
