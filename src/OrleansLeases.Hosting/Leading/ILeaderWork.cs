namespace OrleansLeases.Hosting.Leading;

/// <summary>A service that leads, whatever its type.</summary>
internal interface ILeaderWork
{
    Type Service { get; }
}
