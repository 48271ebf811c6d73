using OrleansLeases.Simulation.Scheduling;

namespace OrleansLeases.Simulation.Checking;

/// <summary>What recipes promise beside what their leases do: tasks that are not done again, and values that were made.</summary>
internal sealed class RecipePromises(Scheduler scheduler, Truth truth)
{
    private readonly Dictionary<string, int> _done = [];
    private readonly HashSet<string> _made = [];
    private int _values;

    public string NewValue()
    {
        var value = $"value-{++_values}";
        _made.Add(value);
        return value;
    }

    /// <summary>A worker starts a task.</summary>
    public void Starts(string task)
    {
        if (_done.TryGetValue(task, out var restores) && restores == truth.Restores)
            scheduler.Fail("task", $"{task} is begun, though it is done.");
    }

    /// <summary>A worker was told that it did a task.</summary>
    /// <param name="task">The task.</param>
    /// <param name="restores">How many copies had been restored when it began: a mark from before may be gone.</param>
    public void IsDone(string task, int restores)
    {
        if (restores != truth.Restores) return;
        if (_done.TryGetValue(task, out var known) && known == restores) scheduler.Fail("task", $"{task} is done twice.");
        _done[task] = restores;
    }

    public void IsRead(string entry, string value)
    {
        if (!_made.Contains(value)) scheduler.Fail("cache", $"{entry} is {value}, which nobody made.");
    }
}
