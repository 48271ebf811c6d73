using OrleansLeases.Client.Internal;

namespace OrleansLeases.Client;

/// <summary>How an application reaches a lease service over HTTP, and holds its leases. Checked when the host starts.</summary>
public sealed class LeaseHttpOptions
{
    /// <summary>The addresses of the service: calls go to the first, and to the next where that fails.</summary>
    /// <value>
    /// At least one, absolute http or https, none twice. All must reach one service, such as the gateways of one cluster: two
    /// services would grant the same resource twice.
    /// </value>
    public IList<string> Servers { get; } = [];

    /// <summary>How long a call may take beyond the wait of its request; after that its response counts as lost.</summary>
    /// <value>15 s by default; more than 0, up to one day.</value>
    public TimeSpan CallTimeout { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>
    /// How long one of several servers may take, beyond the wait of the request, before the call goes to the next one.
    /// </summary>
    /// <value>5 s by default; more than 0, up to <see cref="CallTimeout"/>.</value>
    public TimeSpan ServerTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a connection may take to be made.</summary>
    /// <value>2 s by default; more than 0, up to <see cref="CallTimeout"/>.</value>
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>The age at which a connection takes no more calls; a new one resolves DNS again. Calls under way are not aborted.</summary>
    /// <value>2 min by default; 1 s to one day.</value>
    public TimeSpan ConnectionLifetime { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>How leases are held.</summary>
    /// <value>The defaults of <see cref="LeaseClientOptions"/>.</value>
    public LeaseClientOptions Client { get; set; } = new();

    /// <summary>What is wrong, with the remedy.</summary>
    internal IEnumerable<string> Faults()
    {
        const string Name = nameof(LeaseHttpOptions);
        var day = TimeSpan.FromDays(1);
        IEnumerable<string?> own =
        [
            OptionBounds.Fault($"{Name}.{nameof(CallTimeout)}", CallTimeout, TimeSpan.FromTicks(1), day),
            OptionBounds.Fault($"{Name}.{nameof(ServerTimeout)}", ServerTimeout, TimeSpan.FromTicks(1), CallTimeout),
            OptionBounds.Fault($"{Name}.{nameof(ConnectTimeout)}", ConnectTimeout, TimeSpan.FromTicks(1), CallTimeout),
            OptionBounds.Fault($"{Name}.{nameof(ConnectionLifetime)}", ConnectionLifetime, TimeSpan.FromSeconds(1), day),
        ];
        var clients = Client is null ? [$"{Name}.{nameof(Client)} is null; leave it out for the defaults."] : Client.Faults();
        return [.. ServerAddresses.Faults($"{Name}.{nameof(Servers)}", [.. Servers]), .. own.OfType<string>(), .. clients];
    }
}
