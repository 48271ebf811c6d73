using OrleansLeases.Conformance;

namespace OrleansLeases.Grains.Tests;

/// <summary>Every implementation on Orleans runs every suite.</summary>
public sealed class CompletenessTests
{
    [Fact]
    public void MissingFrom_ThisAssembly_IsEmpty() => Assert.Empty(Completeness.MissingFrom(typeof(CompletenessTests).Assembly));

    [Fact]
    public void Worlds_OfThisAssembly_AreMemoryAndPostgres() => Assert.Equal(
        ["OrleansMemoryWorld", "OrleansPostgresWorld"],
        typeof(CompletenessTests).Assembly.GetTypes()
            .Where(type => type.IsSubclassOf(typeof(LeaseWorld)) && !type.IsAbstract)
            .Select(type => type.Name)
            .Order(StringComparer.Ordinal));
}
