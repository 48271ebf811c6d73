using System.Text.Json;

namespace OrleansLeases;

/// <summary>
/// An event of a watch: a closed set. Immutable. A watch has every stored change of a resource or key once, in order, or else
/// <see cref="Resync"/>. An event comes after its change was stored; later changes may have been stored by then.
/// </summary>
public abstract record WatchEvent
{
    private protected WatchEvent()
    {
    }

    /// <summary>The event's name on the wire: <c>state</c>, <c>resync</c>, or a change such as <c>granted</c> and <c>key-put</c>.</summary>
    public abstract string Name { get; }

    /// <summary>
    /// The <see cref="WatchRequest.Since"/> that resumes the watch after this event; null where it cannot be, as with a prefix.
    /// </summary>
    public WatchPoint? ResumeFrom { get; init; }

    /// <summary>Writes the event's data as JSON, as it is sent over HTTP.</summary>
    /// <param name="json">The writer; not null.</param>
    public abstract void WriteData(Utf8JsonWriter json);

    /// <summary>
    /// The current state of a resource: the first event without <see cref="WatchRequest.Since"/>, and the next after <see cref="Resync"/>.
    /// </summary>
    /// <param name="Lease">The resource.</param>
    public sealed record LeaseSnapshot(LeaseInfo Lease) : WatchEvent
    {
        /// <inheritdoc/>
        public override string Name => "state";

        /// <inheritdoc/>
        public override void WriteData(Utf8JsonWriter json) => JsonSerializer.Serialize(json, Lease, LeaseJson.Default.LeaseInfo);
    }

    /// <summary>The current state of a key, sent as <see cref="LeaseSnapshot"/> is. A key whose lease has ended is absent.</summary>
    /// <param name="Key">The key.</param>
    public sealed record KeySnapshot(KeyInfo Key) : WatchEvent
    {
        /// <inheritdoc/>
        public override string Name => "state";

        /// <inheritdoc/>
        public override void WriteData(Utf8JsonWriter json) => JsonSerializer.Serialize(json, Key, LeaseJson.Default.KeyInfo);
    }

    /// <summary>A stored change of a resource.</summary>
    /// <param name="Lease">What happened.</param>
    public sealed record LeaseChanged(LeaseEvent Lease) : WatchEvent
    {
        /// <inheritdoc/>
        public override string Name => Lease.Kind switch
        {
            LeaseEventKind.Granted => "granted",
            LeaseEventKind.Released => "released",
            LeaseEventKind.Expired => "expired",
            LeaseEventKind.Transferred => "transferred",
            LeaseEventKind.Breaking => "breaking",
            _ => "broken",
        };

        /// <inheritdoc/>
        public override void WriteData(Utf8JsonWriter json) => JsonSerializer.Serialize(json, Lease, LeaseJson.Default.LeaseEvent);
    }

    /// <summary>A stored change of a key.</summary>
    /// <param name="Key">What happened.</param>
    public sealed record KeyChanged(KeyChange Key) : WatchEvent
    {
        /// <inheritdoc/>
        public override string Name => Key.Kind == KeyEventKind.KeyPut ? "key-put" : "key-deleted";

        /// <inheritdoc/>
        public override void WriteData(Utf8JsonWriter json) => JsonSerializer.Serialize(json, Key, LeaseJson.Default.KeyChange);
    }

    /// <summary>
    /// Changes may have been missed: the watcher was too slow, the history no longer reaches back to <see cref="WatchRequest.Since"/>, or
    /// the outcome of a save is unknown. The current state follows.
    /// </summary>
    public sealed record Resync : WatchEvent
    {
        /// <summary>The only one.</summary>
        public static readonly Resync Instance = new();

        private Resync()
        {
        }

        /// <inheritdoc/>
        public override string Name => "resync";

        /// <inheritdoc/>
        public override void WriteData(Utf8JsonWriter json)
        {
            ArgumentNullException.ThrowIfNull(json);
            json.WriteStartObject();
            json.WriteEndObject();
        }
    }
}
