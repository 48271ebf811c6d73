namespace OrleansLeases.Core.Tests;

/// <summary>The rules of a key, command by command.</summary>
public sealed class KeyMachineTests
{
    private static readonly KeyLease Lease = new() { Resource = "r", Owner = "me", Token = 7 };
    private static readonly LeaseCheck Attached = new(0, Ended: false, Attached: true);

    private readonly LeaseClock _clock = new(new OrleansLeases.Testing.ManualTimeProvider());
    private KeyState _state = KeyState.Unused;

    [Fact]
    public void Put_BoundToALease_AsksToAttachFirst()
    {
        Assert.Equal(new KeyReply<KeyReply.Written>.AskToAttach(0, Attached), Apply(Put("up", Lease)));
        Assert.Same(KeyState.Unused, _state);

        Assert.Equal(new KeyReply.Written(1, null, Replayed: false), Apply(Put("up", Lease) with { LeaseCheck = Attached }));
        Assert.Equal((1, 1, "up", new KeyBinding("r", "me", 7)), (_state.Version, _state.Generation, _state.Value, _state.Binding));
    }

    [Fact]
    public void Put_WithAPremiseOfAnEarlierGeneration_AsksAnew()
    {
        Apply(new KeyCommand.Clean("other", 1));

        Assert.Equal(
            new KeyReply<KeyReply.Written>.AskToAttach(1, Attached with { Generation = 1 }),
            Apply(Put("up", Lease) with { LeaseCheck = Attached }));
        Assert.Null(_state.Value);
    }

    [Fact]
    public void Put_OverAKeyOfAnotherLease_AsksAboutThatFirst()
    {
        Bind();
        var other = Lease with { Token = 8 };

        Assert.Equal(
            new KeyReply<KeyReply.Written>.AskWhetherInForce(1, new KeyBinding("r", "me", 7)), Apply(Put("mine", other, ifVersion: 1)));
        var inForce = new LeaseCheck(1, Ended: false, Attached: false);
        Assert.Equal(
            new KeyReply<KeyReply.Written>.AskToAttach(1, inForce with { Attached = true }),
            Apply(Put("mine", other, ifVersion: 1) with { LeaseCheck = inForce }));
        var written =
            Assert.IsType<KeyReply.Written>(Apply(Put("mine", other, ifVersion: 1) with { LeaseCheck = inForce with { Attached = true } }));

        Assert.Equal(new DetachedBinding(new KeyBinding("r", "me", 7), 2), written.Detached);
    }

    [Fact]
    public void Put_WhenItsVersionDoesNotMatch_IsRefusedBeforeItIsAttached()
    {
        Assert.IsType<Refusal.Conflict>(Refused(Apply(Put("up", Lease, ifVersion: 3))));
        Bind();
        var ended = new LeaseCheck(1, Ended: true, Attached: false);
        Assert.Equal(0, Assert.IsType<Refusal.Conflict>(Refused(Apply(Put("up", null, ifVersion: 1) with { LeaseCheck = ended }))).Current);
    }

    [Fact]
    public void Put_OverAKeyWhoseLeaseHasEnded_RecordsThatItWasDeleted()
    {
        Bind();

        var written = Assert.IsType<KeyReply.Written>(
            Apply(Put("free", null, ifVersion: 0) with { LeaseCheck = new(1, Ended: true, Attached: false) }));

        Assert.Equal((3, null), (written.Revision, written.Detached));
        Assert.Equal(
            [KeyEventKind.KeyPut, KeyEventKind.KeyDeleted, KeyEventKind.KeyPut], _state.Log.NewestFirst().Select(entry => entry.Kind));
        Assert.Equal((2, 2), (_state.Version, _state.Generation));
    }

    [Fact]
    public void Get_OfABoundKey_AsksAndHasTheAnswerReady()
    {
        Bind();
        var found = new KeyReply.Found("up", 1, new KeyBinding("r", "me", 7));

        Assert.Equal(new KeyReply<KeyReply.Found>.AskWhetherInForce(1, found.Binding!, found), Apply(new KeyCommand.Get()));
        Assert.Equal(found, Apply(new KeyCommand.Get { LeaseCheck = new(1, Ended: false, Attached: false) }));
        Assert.IsType<Refusal.NotFound>(Refused(Apply(new KeyCommand.Get { LeaseCheck = new(1, Ended: true, Attached: false) })));
    }

    [Fact]
    public void Add_ToAKeyWhoseLeaseHasEnded_StartsAt0AndFree()
    {
        Apply(Put("40", Lease) with { LeaseCheck = Attached });

        var added = Assert.IsType<KeyReply.Written>(Apply(Add(2) with { LeaseCheck = new(1, Ended: true, Attached: false) }));

        Assert.Equal(2, added.Sum);
        Assert.Null(_state.Binding);
    }

    [Theory]
    [InlineData(long.MaxValue, 1, false)]
    [InlineData(long.MaxValue, 0, true)]
    [InlineData(long.MaxValue - 1, 1, true)]
    [InlineData(long.MinValue, -1, false)]
    [InlineData(long.MinValue, 0, true)]
    [InlineData(long.MinValue + 1, -1, true)]
    [InlineData(5, -7, true)]
    public void Add_BeyondSixtyFourBits_IsRefused(long value, long delta, bool fits)
    {
        Apply(Put(value.ToString(System.Globalization.CultureInfo.InvariantCulture), null));

        var added = Apply(Add(delta));

        if (fits) Assert.Equal(value + delta, Assert.IsType<KeyReply.Written>(added).Sum);
        else Assert.IsType<Refusal.Conflict>(Refused(added));
    }

    [Fact]
    public void Add_UnderAnotherLease_BindsTheKeyToThat()
    {
        Apply(Put("40", Lease) with { LeaseCheck = Attached });
        var other = Lease with { Token = 8 };
        var add = KeyCommand.Of(new AddToCounterRequest { Delta = 2, Lease = other, RequestId = "q" });

        Assert.Equal(42, Assert.IsType<KeyReply.Written>(Apply(add with { LeaseCheck = Attached with { Generation = 1 } })).Sum);

        Assert.Equal(8, _state.Binding!.Token);
    }

    [Fact]
    public void Add_UnderAnIdOfOtherContent_IsRefused()
    {
        Apply(Add(1, "q"));

        Assert.IsType<Refusal.Conflict>(Refused(Apply(Add(2, "q"))));
        Assert.Equal("1", _state.Value);
    }

    [Fact]
    public void Refusal_OfAVersion_SaysWhatIsThere()
    {
        Assert.Contains("there is no 'k'", Refused(Apply(Put("up", null, ifVersion: 3)))!.Detail, StringComparison.Ordinal);
        Apply(Put("up", null));
        Assert.Contains("'k' has version 1", Refused(Apply(Put("up", null, ifVersion: 3)))!.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Held_IsAKeyWithAValue()
    {
        Assert.False(((IRecord)_state).IsHeld);
        Apply(Put("up", null));
        Assert.True(((IRecord)_state).IsHeld);
    }

    [Fact]
    public void Clean_OfWhatIsBoundToThatToken_DeletesIt()
    {
        Bind();

        Assert.Same(KeyReply.Cleaned.Instance, Apply(new KeyCommand.Clean("r", 7)));

        Assert.Equal((2, 2, 2, null, null), (_state.Version, _state.Generation, _state.Revision, _state.Value, _state.Binding));
    }

    [Theory]
    [InlineData("r", 6)]
    [InlineData("r", 8)]
    [InlineData("q", 7)]
    public void Clean_OfAnythingElse_StartsANewGeneration(string resource, long token)
    {
        Apply(new KeyCommand.Clean(resource, token));
        Assert.Equal((1, 1, 0, null), (_state.Version, _state.Generation, _state.Revision, _state.Value));

        Apply(Put("up", Lease) with { LeaseCheck = Attached with { Generation = 1 } });
        Apply(new KeyCommand.Clean(resource, token));
        Assert.Equal((3, 3, 1, "up"), (_state.Version, _state.Generation, _state.Revision, _state.Value));
    }

    [Fact]
    public void Generation_ChangesWithTheBindingAlone()
    {
        Apply(Put("a", null));
        Apply(Put("b", null));
        Apply(Add(1));
        Apply(new KeyCommand.Delete(null));
        Assert.Equal((3, 0), (_state.Version, _state.Generation));

        Apply(Put("1", Lease) with { LeaseCheck = Attached });
        Apply(Put("2", Lease) with { LeaseCheck = Attached with { Generation = 1 } });
        Apply(Add(1) with { LeaseCheck = new(1, Ended: false, Attached: false) });
        Assert.Equal((6, 1), (_state.Version, _state.Generation));
        Apply(Put("c", null) with { LeaseCheck = new(1, Ended: false, Attached: false) });
        Assert.Equal((7, 2), (_state.Version, _state.Generation));
    }

    [Fact]
    public void Requests_OfTheLast1024Changes_AreKnown()
    {
        for (var i = 1; i <= 2_500; i++)
        {
            Apply(Add(1, $"q{i}"));
            if (i % 97 != 0) continue;
            _state = RecordCodec.Key.Decode(RecordCodec.Key.Encode(_state));
            var oldest = Math.Max(1, i - 1_023);
            Assert.Equal(new KeyReply.Written(oldest, oldest, Replayed: true), Apply(Add(1, $"q{oldest}")));
        }

        Assert.InRange(_state.Log.Count, 1_024, KeyState.LogLength);
        Assert.Equal("2500", _state.Value);
    }

    // Of a reply that contains itself the text would have no end, and neither would a test that fails with one.
    [Fact]
    public void Reply_HasAText() => Assert.Contains("up", new KeyReply.Found("up", 1, null).ToString(), StringComparison.Ordinal);

    private void Bind() => Apply(Put("up", Lease) with { LeaseCheck = Attached });

    private static Refusal? Refused<TReply>(KeyReply<TReply> reply)
        where TReply : KeyReply<TReply> => reply.ToResult().Refusal;

    private KeyReply<TReply> Apply<TReply>(KeyCommand<TReply> command)
        where TReply : KeyReply<TReply>
    {
        (_state, var reply) = KeyMachine.Apply("k", _state, command, _clock.Read(), MachineFixture.NewRules());
        return reply;
    }

    private static KeyCommand<KeyReply.Written> Put(string value, KeyLease? lease, long? ifVersion = null) =>
        KeyCommand.Of(new PutKeyRequest { Value = value, Lease = lease, IfVersion = ifVersion, RequestId = Guid.NewGuid().ToString("N") });

    private static KeyCommand<KeyReply.Written> Add(long delta, string? requestId = null) =>
        KeyCommand.Of(new AddToCounterRequest { Delta = delta, RequestId = requestId ?? Guid.NewGuid().ToString("N") });
}
