namespace OrleansLeases.Cli.Completion;

/// <summary>What the scripts of all shells know.</summary>
internal static class ShellNames
{
    /// <summary>The options that say which server is asked for names, and who asks.</summary>
    public static readonly IReadOnlyList<string> Connection = ["--server", "--context", "--cacert", "--client-cert", "--client-key"];

    /// <summary>As much of a description as fits beside a word.</summary>
    public static string FirstSentence(string description) => description.Split(". ")[0].Split(" [")[0].TrimEnd('.', ':');

    /// <summary>One word of any of the shells.</summary>
    public static string Quote(string text) => $"'{text.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
