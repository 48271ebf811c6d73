using System.Collections.Concurrent;
using Orleans;
using Orleans.Hosting;

namespace OrleansLeases.Grains.Tests.Hosting;

/// <summary>Holds calls to the grains of a silo where a test wants them: before the grain has them, or before its answer is told.</summary>
internal sealed class HeldCalls : IIncomingGrainCallFilter
{
    private readonly ConcurrentDictionary<string, Held> _calls = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Held> _answers = new(StringComparer.Ordinal);

    public void Install(ISiloBuilder silo) => silo.AddIncomingGrainCallFilter(this);

    /// <summary>Holds the next call of a method.</summary>
    public Held Call(string method) => _calls[method] = new Held();

    /// <summary>Holds the answer of the next call of a method.</summary>
    public Held Answer(string method) => _answers[method] = new Held();

    public async Task Invoke(IIncomingGrainCallContext context)
    {
        if (_calls.TryRemove(context.MethodName, out var call)) await call.PassAsync();
        await context.Invoke();
        if (_answers.TryRemove(context.MethodName, out var answer)) await answer.PassAsync();
    }

    /// <summary>Something that is held.</summary>
    public sealed class Held
    {
        private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _go = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>Whether it was held.</summary>
        public bool WasReached => _reached.Task.IsCompleted;

        /// <summary>Waits until it is held.</summary>
        public Task ReachedAsync() => _reached.Task.WaitAsync(Calls.WaitTimeout);

        public void LetGo() => _go.SetResult();

        internal Task PassAsync()
        {
            _reached.SetResult();
            return _go.Task;
        }
    }
}
