using System.Globalization;
using FsCheck;
using FsCheck.Fluent;

namespace OrleansLeases.Core.Tests;

/// <summary>One thing that happens in a random history; each property reads the numbers in its own way.</summary>
internal readonly record struct Step(int Kind, int A, int B, int C, int D)
{
    public override string ToString() => $"new({Kind}, {A}, {B}, {C}, {D}),";
}

/// <summary>
/// Runs a property over random histories. The seed is fixed, so that a run of the tests is the same every time; FsCheck
/// names the seed and the shortest failing history. LEASES_SEED ("seed,gamma" or "random") and LEASES_RUNS
/// (how many times as many histories) look further.
/// </summary>
internal static class Runs
{
    private static readonly string Seed = Environment.GetEnvironmentVariable("LEASES_SEED") ?? "20261121,7";
    private static readonly int Factor = int.Parse(Environment.GetEnvironmentVariable("LEASES_RUNS") ?? "1", CultureInfo.InvariantCulture);

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
            config = config.WithReplay(ulong.Parse(numbers[0], CultureInfo.InvariantCulture), ulong.Parse(numbers[1], CultureInfo.InvariantCulture));
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
