namespace OrleansLeases.Bench.Client.Users;

// A program that uses one library to own something: all its workers share what the library means to be shared. Each worker
// has a name of its own, and every answer is checked.
internal interface IUser : IAsyncDisposable
{
    string Library { get; }

    // Takes the worker's name and gives it back.
    Task CycleAsync(int worker);
}

// A library with leases: what is taken ends by itself, unless it is renewed.
internal interface IRenewingUser : IUser
{
    // Takes a second name of the worker for good, an hour long.
    Task HoldAsync(int worker);

    Task RenewAsync(int worker);
}
