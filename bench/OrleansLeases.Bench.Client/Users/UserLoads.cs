using OrleansLeases.Bench.Measuring;

namespace OrleansLeases.Bench.Client.Users;

internal sealed class UserCycles(IUser user, int workers) : CallerLoad(user.Library, workers)
{
    public override Task StepAsync(int caller) => user.CycleAsync(caller);
}

internal sealed class UserRenewals(IRenewingUser user, int workers) : CallerLoad(user.Library, workers)
{
    public override async Task PrepareAsync()
    {
        for (var worker = 0; worker < Callers; worker++)
            await user.HoldAsync(worker);
    }

    public override Task StepAsync(int caller) => user.RenewAsync(caller);
}
