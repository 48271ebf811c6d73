using OrleansLeases.Testing;

namespace OrleansLeases.Core.Tests;

/// <summary>Random histories of one activation: every answer, every holder, every event is what the reference model says.</summary>
public sealed class MachineAgainstModel
{
    private const int MaxHolders = 3;

    // Deadlines fall on these and on their sums, so that exact boundaries are hit often.
    private static readonly TimeSpan[] Lengths =
        [
        TimeSpan.FromTicks(1_000_001), TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(10),
        TimeSpan.FromSeconds(100),
    ];

    [Fact]
    public void Apply_WhenAnyHistory_AnswersAsTheModel() => Runs.Check(1000, 60, kinds: 12, Run);

    private static void Run(Step[] history)
    {
        var rules = MachineFixture.NewRules();
        var fixture = new MachineFixture(rules with { Limits = rules.Limits with { MaxHolders = MaxHolders } });
        var model = new ReferenceModel(MaxHolders);
        foreach (var step in history)
        {
            model.Now = fixture.Time.Elapsed;
            var before = (fixture.Stored, fixture.State, Events: model.Events.Count);
            if (Take(step, fixture, model) is not { } expected) continue;
            Assert.Equal(expected, ModelAnswer.Of(fixture.Last.Reply));
            Compare(fixture, model);
            Recorded(fixture, before.Stored, before.State, model.Events.Count > before.Events);
        }
    }

    private static ModelAnswer? Take(Step step, MachineFixture fixture, ReferenceModel model)
    {
        var owner = $"o{step.A % 4}";
        var token = Math.Max(1, model.All.Count - (step.B % 3)) + (step.B % 17 == 0 ? 1 : 0);
        // Mostly the true owner, so that something happens.
        var holder = step.C % 5 > 0 && model.All.Find(lease => lease.Token == token) is { } lease ? lease.Owner : owner;
        TimeSpan? ttl = step.D % 3 == 0 ? Lengths[step.D % Lengths.Length] : null;
        switch (step.Kind)
        {
            case 0 or 1 or 2:
                return Acquire(step, owner, fixture, model);
            case 3 or 4:
                var renew = new RenewRequest { Resource = "r", Owner = holder, Token = token, Ttl = ttl };
                fixture.Apply(LeaseCommand.Of(renew));
                return model.Renew(renew);
            case 5:
                var release = new LeaseCommand.Release(
                    new ReleaseRequest { Resource = "r", Owner = holder, Token = token }, Undelivered: step.D % 2 == 0);
                fixture.Apply(release);
                return model.Release(release.Request, release.Undelivered);
            case 6:
                var transfer = new TransferRequest
                {
                    Resource = "r", Owner = holder, Token = token, NewOwner = owner, Ttl = ttl, RequestId = $"q{step.D % 3}",
                };
                fixture.Apply(LeaseCommand.Of(transfer));
                return model.Transfer(transfer);
            case 7:
                var order = new BreakRequest
                {
                    Resource = "r",
                    Token = step.A % 4 == 0 ? null : token,
                    Grace = step.D % 4 == 0 ? TimeSpan.Zero : Lengths[step.D % Lengths.Length],
                    Force = step.C % 3 == 0,
                    Reason = "why",
                    RequestId = $"q{step.C % 5}",
                };
                fixture.Apply(LeaseCommand.Of(order));
                return model.Break(order);
            case 8:
                fixture.Tick();
                return model.Tick();
            case 9:
                ComeOrGo(step, fixture, model);
                return null;
            default:
                fixture.Time.Advance(NextMoment(step, model));
                return null;
        }
    }

    private static ModelAnswer Acquire(Step step, string owner, MachineFixture fixture, ReferenceModel model)
    {
        var shared = step.B % 2 == 0;
        var request = new AcquireRequest
        {
            Resource = "r",
            Owner = owner,
            Ttl = Lengths[step.C % Lengths.Length],
            Mode = shared ? LeaseMode.Shared : LeaseMode.Exclusive,
            Capacity = shared && step.B % 3 > 0 ? 2 : null,
            LockDelay = !shared && step.C % 2 == 0 ? TimeSpan.FromSeconds(1) : TimeSpan.Zero,
            HoldAtLeast = !shared && step.A % 3 == 0 ? Lengths[step.B % Lengths.Length] : TimeSpan.Zero,
            Wait = step.D % 2 == 0 ? TimeSpan.FromSeconds(1) : TimeSpan.Zero,
            // Few ids, so that they are repeated with the same content and with another.
            RequestId = step.D % 5 == 0 ? $"q{step.D % 7}" : $"{owner} {step.B % 6} {step.C % 10}",
        };
        var expected = model.Acquire(request);
        fixture.Acquire(request);
        if (expected.Word == "held" && request.Wait > TimeSpan.Zero && !model.Queue.Exists(place => place.RequestId == request.RequestId))
        {
            model.Queue.Add(request);
            fixture.Wait(request);
        }

        return expected;
    }

    private static void ComeOrGo(Step step, MachineFixture fixture, ReferenceModel model)
    {
        if (model.Queue.Count == 0) return;
        var index = step.A % model.Queue.Count;
        var id = model.Queue[index].RequestId!;
        if (step.B % 3 == 0)
        {
            model.Away.Remove(id);
            model.Queue.RemoveAt(index);
            fixture.Queue.RemoveAt(index);
            return;
        }

        if (!model.Away.Remove(id)) model.Away.Add(id);
        fixture.Queue[index] = fixture.Queue[index] with { Present = !model.Away.Contains(id) };
    }

    private static TimeSpan NextMoment(Step step, ReferenceModel model)
    {
        var next = model.Holders.Select(lease => lease.EndsAt - model.Now).Where(left => left > TimeSpan.Zero).Order().FirstOrDefault();
        return (step.A % 4) switch
        {
            0 => next,
            1 when next > TimeSpan.Zero => next - TimeSpan.FromTicks(1),
            2 => new TimeSpan(step.B),
            _ => Lengths[step.B % Lengths.Length],
        };
    }

    private static void Compare(MachineFixture fixture, ReferenceModel model)
    {
        var now = fixture.Clock.Read();
        Assert.Equal(
            model.Holders.Select(lease => (lease.Token, lease.Owner, lease.Mode, lease.Ttl, Left: lease.EndsAt - model.Now)),
            fixture.State.Holders.Select(holder => (holder.Token, holder.Owner, holder.Mode, holder.Ttl, Left: holder.Remaining(now))));
        Assert.All(fixture.State.Holders, holder => Assert.Equal(holder.Remaining(now), holder.EndsAt - now.Monotonic));
        Assert.Equal(model.Events, fixture.State.Log.NewestFirst().Reverse().Select(entry => (entry.Kind, entry.Token)));
        Assert.Equal(model.Queue.Select(place => place.RequestId), fixture.Queue.Select(place => place.Request.RequestId));
        Assert.Equal(model.All.Count, fixture.State.LastToken);
    }

    /// <summary>Whatever may be told is in the record that must be stored before; and nothing else is stored.</summary>
    private static void Recorded(MachineFixture fixture, LeaseState storedBefore, LeaseState before, bool changed)
    {
        var stored = fixture.Stored;
        var now = fixture.Clock.Read();
        Assert.Equal(fixture.State.Log.Last, stored.Log.Last);
        Assert.Equal(fixture.State.Holders.Select(holder => holder.Token), stored.Holders.Select(holder => holder.Token));
        Assert.All(
            fixture.State.Holders.Zip(stored.Holders), pair => Assert.True(now.Latest + pair.First.Remaining(now) <= pair.Second.Horizon));
        if (changed || !fixture.Last.Durable)
        {
            Assert.Equal(changed, fixture.Last.Durable);
            return;
        }

        // Only a renewal is stored without an event, and only if the stored horizon or time to live no longer holds.
        var renewed = Assert.IsType<LeaseReply.Renewed>(fixture.Last.Reply).Token;
        var was = storedBefore.Holders.Single(holder => holder.Token == renewed);
        var told = fixture.State.Holders.Single(holder => holder.Token == renewed);
        Assert.True(
            now.Latest + told.Remaining(now) > was.Horizon || told.Ttl != before.Holders.Single(holder => holder.Token == renewed).Ttl);
    }
}
