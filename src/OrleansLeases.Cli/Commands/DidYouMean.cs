namespace OrleansLeases.Cli.Commands;

/// <summary>Finds what somebody who mistyped a word is likely to have meant.</summary>
internal static class DidYouMean
{
    private const int MostMistakes = 2;

    /// <summary>The likeliest of the words, one or several in a phrase; null where none is likely.</summary>
    public static string? Of(string word, IReadOnlyCollection<string> known)
    {
        var near = known.Select(candidate => (Word: candidate, Mistakes: MistakesOf(word, candidate)))
            .Where(candidate => candidate.Mistakes <= MostMistakes)
            .OrderBy(candidate => candidate.Mistakes)
            .ToArray();
        var likely = near.Where(candidate => candidate.Mistakes == near[0].Mistakes).Select(candidate => candidate.Word).Take(3).ToArray();
        return likely.Length == 0 ? null : string.Join(" or ", likely);
    }

    // A word that was cut short is one mistake. Of a short word, two mistakes leave too little.
    private static int MistakesOf(string word, string candidate)
    {
        var letters = word.TrimStart('-').Length;
        if (letters >= 2 && candidate.StartsWith(word, StringComparison.Ordinal)) return 1;
        var distance = Distance(word, candidate);
        return letters > 3 * distance - 2 ? distance : int.MaxValue;
    }

    // Insertions, deletions, replacements, and neighbours swapped (optimal string alignment).
    private static int Distance(string from, string to)
    {
        var distances = new int[from.Length + 1, to.Length + 1];
        for (var i = 0; i <= from.Length; i++) distances[i, 0] = i;
        for (var j = 0; j <= to.Length; j++) distances[0, j] = j;
        for (var i = 1; i <= from.Length; i++)
        {
            for (var j = 1; j <= to.Length; j++)
            {
                var least = Math.Min(distances[i - 1, j], distances[i, j - 1]) + 1;
                least = Math.Min(least, distances[i - 1, j - 1] + (from[i - 1] == to[j - 1] ? 0 : 1));
                if (i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1])
                    least = Math.Min(least, distances[i - 2, j - 2] + 1);
                distances[i, j] = least;
            }
        }

        return distances[from.Length, to.Length];
    }
}
