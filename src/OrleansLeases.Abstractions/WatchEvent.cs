using System.Text.Json;

namespace OrleansLeases;

/// <summary>
/// Something that a watcher gets: a closed set. Immutable. Of one resource or key it gets every stored change once, in
/// order, or else <see cref="Resync"/>. A change comes after it was stored: it says what was, and more may have happened.
/// </summary>
public abstract record WatchEvent
{
    private protected WatchEvent()
    {
    }

    /// <summary>The event's name on the wire: <c>state</c>, <c>resync</c>, or a change such as <c>granted</c> and <c>key-put</c>.</summary>
    public abstract string Name { get; }

    /// <summary>
    /// Where to go on after this, as <see cref="WatchRequest.Since"/>; null where there is no such place, as under a prefix.
    /// </summary>
    public WatchPoint? ResumeFrom { get; init; }

    /// <summary>Writes the event's data as the wire has it.</summary>
    /// <param name="json">Where to; not null.</param>
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

    /// <summary>The current state of a key: as that of a resource. A key whose lease has ended is absent.</summary>
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
    /// Changes may have been missed: the watcher was too slow, what it asked for is forgotten, or a store did not say what it stored.
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
