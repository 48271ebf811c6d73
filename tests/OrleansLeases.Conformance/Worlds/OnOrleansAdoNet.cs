using OrleansLeases.Conformance.Suites;
using OrleansLeases.Conformance.Worlds.Silos;

namespace OrleansLeases.Conformance.Worlds.OnOrleansAdoNet;

public sealed class Access : AccessSuite<OrleansAdoNetWorld>;

public sealed class Acquire : AcquireSuite<OrleansAdoNetWorld>;

public sealed class BadInput : BadInputSuite<OrleansAdoNetWorld>;

public sealed class Batch : BatchSuite<OrleansAdoNetWorld>;

public sealed class BoundKeys : BoundKeysSuite<OrleansAdoNetWorld>;

public sealed class Break : BreakSuite<OrleansAdoNetWorld>;

public sealed class Cancellation : CancellationSuite<OrleansAdoNetWorld>;

public sealed class Counters : CountersSuite<OrleansAdoNetWorld>;

public sealed class History : HistorySuite<OrleansAdoNetWorld>;

public sealed class HoldAtLeast : HoldAtLeastSuite<OrleansAdoNetWorld>;

public sealed class Info : InfoSuite<OrleansAdoNetWorld>;

public sealed class KeyExpiry : KeyExpirySuite<OrleansAdoNetWorld>;

public sealed class KeyListing : KeyListingSuite<OrleansAdoNetWorld>;

public sealed class Keys : KeysSuite<OrleansAdoNetWorld>;

public sealed class Listing : ListingSuite<OrleansAdoNetWorld>;

public sealed class LockDelay : LockDelaySuite<OrleansAdoNetWorld>;

public sealed class Names : NamesSuite<OrleansAdoNetWorld>;

public sealed class Reads : ReadsSuite<OrleansAdoNetWorld>;

public sealed class Release : ReleaseSuite<OrleansAdoNetWorld>;

public sealed class RenewBatch : RenewBatchSuite<OrleansAdoNetWorld>;

public sealed class Renew : RenewSuite<OrleansAdoNetWorld>;

public sealed class RequestIds : RequestIdsSuite<OrleansAdoNetWorld>;

public sealed class SharedLeases : SharedLeasesSuite<OrleansAdoNetWorld>;

public sealed class Transfer : TransferSuite<OrleansAdoNetWorld>;

public sealed class Waiting : WaitingSuite<OrleansAdoNetWorld>;

public sealed class Watch : WatchSuite<OrleansAdoNetWorld>;
