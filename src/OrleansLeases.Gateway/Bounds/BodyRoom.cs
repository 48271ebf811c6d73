using Microsoft.AspNetCore.Http;

namespace OrleansLeases.Gateway.Bounds;

/// <summary>
/// The bytes of bodies that are being read, of which there may be so many at once: each stays whole until it is parsed. Metadata of the
/// endpoints that share it. Thread-safe.
/// </summary>
/// <param name="most">How many bytes.</param>
internal sealed class BodyRoom(long most)
{
    // What is shorter costs less than the request around it.
    private const int Free = 4 * 1024;

    private static readonly Refusal.LimitReached Full = new(
        "memory", TimeSpan.FromSeconds(1), "The bodies that are on their way to this server fill the room for them; ask again later.");

    private long _taken;

    /// <summary>The room that one body takes. Not thread-safe.</summary>
    /// <param name="context">Its call.</param>
    internal sealed class Part(HttpContext context)
    {
        private BodyRoom? _room;
        private long _taken;

        /// <summary>Why no more of it was let in; null where all was.</summary>
        public Refusal.LimitReached? Refusal { get; private set; }

        /// <summary>Takes room for more of it.</summary>
        /// <param name="length">How long it is by now.</param>
        /// <returns>Whether there was room.</returns>
        public bool TryGrow(long length)
        {
            var more = length - Free - _taken;
            if (more <= 0) return true;
            _room ??= context.GetEndpoint()?.Metadata.GetMetadata<BodyRoom>();
            if (_room is null) return true;
            _taken += more;
            if (_room.TryTake(more)) return true;
            Refusal = Full;
            return false;
        }

        /// <summary>It was read, or given up.</summary>
        public void Leave()
        {
            if (_taken > 0) Interlocked.Add(ref _room!._taken, -_taken);
            _taken = 0;
        }
    }

    // What is refused counts as well until its call is over, which is soon.
    private bool TryTake(long bytes) => Interlocked.Add(ref _taken, bytes) <= most;
}
