using Aspire.Hosting;
using OrleansLeases.Testing.Packages;

namespace Projects;

/// <summary>What an app host's SDK makes of a reference to a project. It is not built.</summary>
internal sealed class Worker : IProjectMetadata
{
    public string ProjectPath => Repository.PathOf("samples", "Election", "Election.csproj");
}
