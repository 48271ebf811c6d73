namespace OrleansLeases.Conformance;

/// <summary>Every implementation runs every suite.</summary>
public sealed class CompletenessTests
{
    [Fact]
    public void MissingFrom_ThisAssembly_IsEmpty() => Assert.Empty(Completeness.MissingFrom(typeof(CompletenessTests).Assembly));

    [Fact]
    public void Worlds_OfThisAssembly_AreAllThereAre() => Assert.Equal(
        [
            "ByteStoreWorld", "HttpMemoryWorld", "HttpSqliteWorld", "MemoryWorld", "OrleansAdoNetWorld", "OrleansMemoryWorld",
            "OrleansPostgresWorld", "SqliteWorld",
        ],
        typeof(CompletenessTests).Assembly.GetTypes()
            .Where(type => type.IsSubclassOf(typeof(LeaseWorld)) && !type.IsAbstract)
            .Select(type => type.Name)
            .Order(StringComparer.Ordinal));

    [Fact]
    public void Suites_AreOneForEachTopic() => Assert.Equal(
        [
            "AccessSuite", "AcquireSuite", "BadInputSuite", "BatchSuite", "BoundKeysSuite", "BreakSuite", "CancellationSuite",
            "CountersSuite", "HistorySuite", "HoldAtLeastSuite", "InfoSuite", "KeyExpirySuite", "KeyListingSuite", "KeysSuite",
            "ListingSuite", "LockDelaySuite", "NamesSuite", "ReadsSuite", "ReleaseSuite", "RenewBatchSuite", "RenewSuite",
            "RequestIdsSuite", "SharedLeasesSuite", "TransferSuite", "WaitingSuite", "WatchSuite",
        ],
        Completeness.Suites.Select(suite => suite.Name.Split('`')[0]).Order(StringComparer.Ordinal));
}
