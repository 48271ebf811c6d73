using OrleansLeases.Bench.Hosts;

namespace OrleansLeases.Bench.Measuring;

// What the clients of one row do to one server, over and over.
internal abstract class Load(string row, IServer server, int clients)
{
    public string Row { get; } = row;

    public IServer Server { get; } = server;

    public int Clients { get; } = clients;

    public virtual int OperationsPerStep => 1;

    // Before the first round: grants to renew, streams to open.
    public virtual Task PrepareAsync() => Task.CompletedTask;

    // Before each round, outside its time.
    public virtual Task BeginRoundAsync() => Task.CompletedTask;

    // False when this round's supply is used up.
    public virtual bool HasMore(int client) => true;

    public abstract ValueTask StepAsync(int client);
}
