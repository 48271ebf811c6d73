using System.Numerics;

namespace OrleansLeases.Simulation.Shrinking;

/// <summary>
/// Makes a failing run smaller: with fewer kinds of faults, fewer clients and fewer calls, as long as the same invariant is violated.
/// </summary>
internal static class Shrinker
{
    public static Outcome Shrink(Outcome failed)
    {
        var smallest = failed;
        var options = failed.Options with { Faults = failed.Faults };
        // With its faults named, a run draws what it drew before.
        if (!Fails(options)) return failed;
        for (var kind = 0; kind <= BitOperations.Log2((uint)Faults.All); kind++)
        {
            var without = options with { Faults = options.Faults & ~(Faults)(1 << kind) };
            if (without.Faults != options.Faults && Fails(without)) options = without;
        }

        for (var clients = 1; clients < 6; clients++)
        {
            if (!Fails(options with { Clients = clients })) continue;
            options = options with { Clients = clients };
            break;
        }

        for (var steps = options.Steps / 2; steps > 20 && Fails(options with { Steps = steps }); steps /= 2)
            options = options with { Steps = steps };
        return smallest;

        bool Fails(RunOptions one)
        {
            var outcome = new World(one, trace: null).Run();
            if (outcome.Violation?.Invariant != failed.Violation!.Invariant) return false;
            smallest = outcome;
            return true;
        }
    }
}
