using System.Globalization;
using FsCheck;
using FsCheck.Fluent;

namespace OrleansLeases.Testing;

/// <summary>One thing that happens in a random history; each property reads the numbers in its own way.</summary>
/// <param name="Kind">What happens: 0 up to the number of kinds of its property.</param>
/// <param name="A">0 to 99,999.</param>
/// <param name="B">0 to 99,999.</param>
/// <param name="C">0 to 99,999.</param>
/// <param name="D">0 to 99,999.</param>
public readonly record struct Step(int Kind, int A, int B, int C, int D)
{
    /// <inheritdoc/>
    public override string ToString() => $"new({Kind}, {A}, {B}, {C}, {D}),";
}

/// <summary>
/// Runs a property over random histories. The seed is fixed, so that a run of the tests is the same every time; FsCheck
/// names the seed and the shortest failing history. LEASES_SEED ("seed,gamma" or "random") and LEASES_RUNS
/// (how many times as many histories) look further.
/// </summary>
public static class Runs
{
    private static readonly string Seed = Environment.GetEnvironmentVariable("LEASES_SEED") ?? "20261121,7";
    private static readonly int Factor = int.Parse(Environment.GetEnvironmentVariable("LEASES_RUNS") ?? "1", CultureInfo.InvariantCulture);

    /// <summary>Checks a property; it throws where it is violated.</summary>
    /// <param name="histories">How many histories.</param>
    /// <param name="longest">How many steps the longest has.</param>
    /// <param name="kinds">How many kinds of steps there are.</param>
    /// <param name="property">Runs one history.</param>
    public static void Check(int histories, int longest, int kinds, Action<Step[]> property)
    {
        var number = Gen.Choose(0, 99_999);
        var step = from kind in Gen.Choose(0, kinds - 1)
                   from a in number
                   from b in number
                   from c in number
                   from d in number
                   select new Step(kind, a, b, c, d);
        var history = from length in Gen.Choose(1, longest) from steps in step.ArrayOf(length) select steps;
        var config = Config.QuickThrowOnFailure.WithMaxTest(histories * Factor);
        if (Seed != "random")
        {
            var numbers = Seed.Split(',');
            config = config.WithReplay(
                ulong.Parse(numbers[0], CultureInfo.InvariantCulture), ulong.Parse(numbers[1], CultureInfo.InvariantCulture));
        }

        FsCheck.Check.One(config, Prop.ForAll(Arb.From(history, Shorter), property));
    }

    // Leaves out ever smaller pieces, then makes the numbers small.
    private static IEnumerable<Step[]> Shorter(Step[] steps)
    {
        for (var piece = steps.Length / 2; piece >= 1; piece /= 2)
        {
            for (var at = 0; at + piece <= steps.Length; at += piece)
                yield return [.. steps[..at], .. steps[(at + piece)..]];
        }
    }
}
