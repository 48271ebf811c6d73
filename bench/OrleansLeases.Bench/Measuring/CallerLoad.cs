namespace OrleansLeases.Bench.Measuring;

// What the callers of one row do, over and over, on the thread pool.
internal abstract class CallerLoad(string row, int callers)
{
    public string Row { get; } = row;

    public int Callers { get; } = callers;

    public virtual int OperationsPerStep => 1;

    // Before the first round.
    public virtual Task PrepareAsync() => Task.CompletedTask;

    // False when this round's supply is used up.
    public virtual bool HasMore(int caller) => true;

    // Before each round, outside its time.
    public virtual Task BeginRoundAsync() => Task.CompletedTask;

    public abstract Task StepAsync(int caller);
}
