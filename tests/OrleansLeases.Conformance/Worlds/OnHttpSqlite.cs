using OrleansLeases.Conformance.Suites;

namespace OrleansLeases.Conformance.Worlds.OnHttpSqlite;

public sealed class Access : AccessSuite<HttpSqliteWorld>;

public sealed class Acquire : AcquireSuite<HttpSqliteWorld>;

public sealed class BadInput : BadInputSuite<HttpSqliteWorld>;

public sealed class Batch : BatchSuite<HttpSqliteWorld>;

public sealed class BoundKeys : BoundKeysSuite<HttpSqliteWorld>;

public sealed class Break : BreakSuite<HttpSqliteWorld>;

public sealed class Cancellation : CancellationSuite<HttpSqliteWorld>;

public sealed class Counters : CountersSuite<HttpSqliteWorld>;

public sealed class History : HistorySuite<HttpSqliteWorld>;

public sealed class HoldAtLeast : HoldAtLeastSuite<HttpSqliteWorld>;

public sealed class Info : InfoSuite<HttpSqliteWorld>;

public sealed class KeyExpiry : KeyExpirySuite<HttpSqliteWorld>;

public sealed class KeyListing : KeyListingSuite<HttpSqliteWorld>;

public sealed class Keys : KeysSuite<HttpSqliteWorld>;

public sealed class Listing : ListingSuite<HttpSqliteWorld>;

public sealed class LockDelay : LockDelaySuite<HttpSqliteWorld>;

public sealed class Names : NamesSuite<HttpSqliteWorld>;

public sealed class Reads : ReadsSuite<HttpSqliteWorld>;

public sealed class Release : ReleaseSuite<HttpSqliteWorld>;

public sealed class RenewBatch : RenewBatchSuite<HttpSqliteWorld>;

public sealed class Renew : RenewSuite<HttpSqliteWorld>;

public sealed class RequestIds : RequestIdsSuite<HttpSqliteWorld>;

public sealed class SharedLeases : SharedLeasesSuite<HttpSqliteWorld>;

public sealed class Transfer : TransferSuite<HttpSqliteWorld>;

public sealed class Waiting : WaitingSuite<HttpSqliteWorld>;

public sealed class Watch : WatchSuite<HttpSqliteWorld>;
