namespace OrleansLeases.Hosting.Aspire.Tests;

internal static class Orchestrated
{
    public static string? Skip { get; } =
        AppHost.CanRun ? null : "Aspire's orchestrator is taken from a package for Linux on x64, which this machine is not.";
}

/// <summary>A test that takes Aspire's orchestrator.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class OrchestratedFactAttribute : FactAttribute
{
    public OrchestratedFactAttribute() => Skip = Orchestrated.Skip;
}

/// <summary>A test that takes Aspire's orchestrator.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class OrchestratedTheoryAttribute : TheoryAttribute
{
    public OrchestratedTheoryAttribute() => Skip = Orchestrated.Skip;
}
