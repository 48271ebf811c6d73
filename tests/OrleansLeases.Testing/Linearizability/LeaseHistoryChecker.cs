namespace OrleansLeases.Testing.Linearizability;

/// <summary>
/// Checks a recorded history of one exclusive lease for linearizability with expiry: whether its calls can be put in
/// one order, each at a moment between its call and its answer, that the lease's rules allow. After Wing and Gong,
/// with Lowe's memory of what was tried.
/// </summary>
public static class LeaseHistoryChecker
{
    /// <summary>Looks for an order.</summary>
    /// <param name="history">The calls, in any order.</param>
    /// <param name="grace">How long after its deadline a lease may still be in force.</param>
    /// <param name="mostTries">After how many it is given up.</param>
    /// <returns>Null where there is an order; else the calls at which the best attempt came to its end.</returns>
    /// <exception cref="InvalidOperationException">It was given up.</exception>
    public static string? FindFault(IEnumerable<LeaseOperation> history, TimeSpan grace, int mostTries = 2_000_000)
    {
        LeaseOperation[] operations = [.. WithoutUnseen([.. history]).OrderBy(operation => operation.Invoked)];
        var search = new Search(operations, grace, mostTries);
        return search.Run() ? null : search.Report();
    }

    /// <summary>Leaves out the grants that may never have been made and that nobody saw: no order needs them.</summary>
    private static IEnumerable<LeaseOperation> WithoutUnseen(IReadOnlyList<LeaseOperation> history)
    {
        var owners = history.OfType<LeaseOperation.FoundHeld>().Select(found => found.By).ToHashSet();
        var known = history.OfType<LeaseOperation.Granted>().Select(granted => (long?)granted.Token)
            .Concat(history.OfType<LeaseOperation.Transferred>().Select(moved => (long?)moved.To)).Append(null).ToHashSet();
        var strangers = history.OfType<LeaseOperation.Read>().Any(read => !known.Contains(read.Token));
        return history.Where(
            operation => strangers || operation is not LeaseOperation.GrantedUntold { Certain: false, From: null } untold
                || owners.Contains(untold.Owner));
    }

    private sealed class Search(LeaseOperation[] operations, TimeSpan grace, int mostTries)
    {
        private readonly bool[] _done = new bool[operations.Length];
        private readonly HashSet<(UInt128 Done, LeaseModel Model)> _tried = [];
        private readonly int _certain = operations.Count(operation => operation.Certain);
        private List<string> _best = [];
        private int _deepest;

        public bool Run()
        {
            var path = new Stack<Frame>();
            path.Push(new Frame(-1, LeaseModel.Start, Next(0, LeaseModel.Start), 0));
            var hash = UInt128.Zero;
            var certain = 0;
            var uncertain = new List<int>();
            while (path.TryPeek(out var frame))
            {
                if (certain == _certain) return true;
                if (frame.Next.TryPop(out var step))
                {
                    var isCertain = operations[step.Index].Certain;
                    var doneWithIt = isCertain ? hash ^ NumberOf(step.Index) : hash;
                    if (!isCertain) uncertain.Add(step.Index);
                    if (!_tried.Add((doneWithIt ^ OpenOf(uncertain, step.Model.Now), step.Model)))
                    {
                        if (!isCertain) uncertain.RemoveAt(uncertain.Count - 1);
                        continue;
                    }

                    if (_tried.Count > mostTries)
                    {
                        throw new InvalidOperationException($"No answer after {mostTries} tries; make the history shorter.");
                    }

                    hash = doneWithIt;
                    _done[step.Index] = true;
                    if (isCertain) certain++;
                    var first = frame.First;
                    while (first < operations.Length && _done[first]) first++;
                    path.Push(new Frame(step.Index, step.Model, Next(first, step.Model), first));
                    if (path.Count > _deepest) Remember(path, first);
                }
                else
                {
                    path.Pop();
                    if (frame.Index < 0) continue;
                    _done[frame.Index] = false;
                    if (operations[frame.Index].Certain)
                    {
                        hash ^= NumberOf(frame.Index);
                        certain--;
                    }
                    else
                    {
                        uncertain.RemoveAt(uncertain.Count - 1);
                    }
                }
            }

            return certain == _certain;
        }

        public string Report() => string.Join(Environment.NewLine, _best.TakeLast(24));

        /// <summary>The operations that may take effect next, the likeliest on top.</summary>
        private Stack<(int Index, LeaseModel Model)> Next(int first, LeaseModel model)
        {
            var candidates = new List<(int, LeaseModel)>();
            var earliestReturn = TimeSpan.MaxValue;
            var earliestUncertainReturn = TimeSpan.MaxValue;
            for (var i = first; i < operations.Length; i++)
            {
                if (_done[i]) continue;
                if (operations[i].Returned < model.Now)
                {
                    // Its time is past. What may never have happened is left behind; anything else makes this a dead end.
                    if (operations[i].Certain) return new();
                    continue;
                }

                // Whatever was called after another's answer comes after it.
                if (operations[i].Invoked > earliestReturn) break;
                if (operations[i].Certain && operations[i].Returned < earliestReturn) earliestReturn = operations[i].Returned;
                if (!operations[i].Certain && operations[i].Returned < earliestUncertainReturn)
                {
                    earliestUncertainReturn = operations[i].Returned;
                }

                foreach (var after in model.Apply(operations[i], grace))
                {
                    // What changes nothing can go first, and no order is lost by that: whatever is called before the earliest
                    // answer can still take effect after it. Only what may never have happened could come too late.
                    if (after with { Now = model.Now } == model && after.Now <= earliestUncertainReturn) return new([(i, after)]);
                    candidates.Add((i, after));
                }
            }

            candidates.Sort((one, other) => operations[other.Item1].Returned.CompareTo(operations[one.Item1].Returned));
            return new(candidates);
        }

        private void Remember(Stack<Frame> path, int first)
        {
            _deepest = path.Count;
            _best = [.. path.Reverse().Where(frame => frame.Index >= 0).Select(frame => $"  {operations[frame.Index]}")];
            _best.Add($"then none of these can take effect after {path.Peek().Model}:");
            for (var i = first; i < operations.Length && _best.Count < path.Count + 12; i++)
            {
                if (!_done[i]) _best.Add($"  {operations[i]}");
            }
        }

        /// <summary>
        /// Of the uncertain operations that were done, those that could still be: whether an older one was done no longer matters.
        /// </summary>
        private UInt128 OpenOf(List<int> uncertain, TimeSpan now)
        {
            var open = UInt128.Zero;
            foreach (var index in uncertain)
            {
                if (operations[index].Returned >= now) open ^= NumberOf(index);
            }

            return open;
        }

        // A number of its own for each operation: the set of those done is the sum without carry.
        private static UInt128 NumberOf(int index)
        {
            return new(Mix((ulong)index * 2), Mix(((ulong)index * 2) + 1));

            static ulong Mix(ulong value)
            {
                value = (value + 1) * 0x9E3779B97F4A7C15;
                value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
                value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
                return value ^ (value >> 31);
            }
        }

        private sealed record Frame(int Index, LeaseModel Model, Stack<(int Index, LeaseModel Model)> Next, int First);
    }
}
