namespace OrleansLeases.Testing.Packages;

/// <summary>The repository that the running tests were built in.</summary>
public static class Repository
{
    /// <summary>Its folder.</summary>
    public static string Root { get; } = Above(AppContext.BaseDirectory);

    /// <summary>A file of it.</summary>
    /// <param name="parts">The parts of its path.</param>
    /// <returns>Its full path.</returns>
    public static string PathOf(params string[] parts) => Path.Combine([Root, .. parts]);

    private static string Above(string? folder)
    {
        while (folder is not null && !File.Exists(Path.Combine(folder, "OrleansLeases.sln"))) folder = Path.GetDirectoryName(folder);
        return folder
            ?? throw new InvalidOperationException(
                $"{AppContext.BaseDirectory} is in no folder with OrleansLeases.sln: run the tests where they were built.");
    }
}
