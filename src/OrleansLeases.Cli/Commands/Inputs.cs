using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Numerics;

namespace OrleansLeases.Cli.Commands;

/// <summary>The arguments and options that several verbs share, spelled alike everywhere.</summary>
internal static class Inputs
{
    public const int DefaultPageSize = 100;

    public static readonly TimeSpan DefaultTtl = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan LongestDuration = TimeSpan.FromDays(1);

    public static Argument<string> Resource() => new("RESOURCE") { Description = "The resource: a path such as jobs/nightly." };

    public static Argument<string> Key() => new("KEY") { Description = "The key: a path such as config/color." };

    public static Option<long?> IfVersion(string description) => Number("--if-version", description, least: 0L);

    public static Option<string?> Prefix() => new("--prefix") { Description = "Only names that start with this.", HelpName = "TEXT" };

    public static Option<int?> PageSize() => Number("--page-size", $"How many at most, up to 1000. [default: {DefaultPageSize}]", least: 1);

    public static Option<string?> After() => new("--after") { Description = "Go on where the page before ended.", HelpName = "NEXT" };

    public static Option<string?> Owner(string description) => new("--owner") { Description = description, HelpName = "NAME" };

    public static Option<long> Token(bool required) => new("--token")
    {
        Description = required ? "The token of the grant." : "Which lease, where there are several holders.",
        HelpName = "TOKEN",
        Required = required,
        CustomParser = ParseToken,
    };

    public static Option<string?> RequestId() => new("--request-id")
    {
        Description = "Repeat this id to repeat the request: it is applied once. [default: a new one]",
        HelpName = "ID",
    };

    public static Option<TimeSpan?> Duration(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "DURATION",
        CustomParser = result => ParseDuration(result),
    };

    /// <summary>A duration that no server checks, from <paramref name="least"/> to a day.</summary>
    public static Option<TimeSpan?> Duration(string name, string description, TimeSpan least)
    {
        var option = Duration(name, description);
        option.CustomParser = result =>
        {
            if (ParseDuration(result) is not { } duration) return null;
            if (duration >= least && duration <= LongestDuration) return duration;
            result.AddError(
                $"{name} is {Durations.Write(duration)}; it takes {Durations.Write(least)} to {Durations.Write(LongestDuration)}.");
            return null;
        };
        return option;
    }

    public static Option<bool> Watch(string description) => new("--watch", "-w") { Description = description };

    public static Option<bool> Shared() =>
        new("--shared") { Description = "Hold it together with others: readers, or a semaphore with --capacity." };

    public static Option<int?> Capacity() => Number("--capacity", "With --shared, how many may hold it at once.", least: 1);

    /// <summary>A whole number, <paramref name="least"/> or more.</summary>
    public static Option<T?> Number<T>(string name, string description, T least)
        where T : struct, IBinaryInteger<T>, IMinMaxValue<T> => new(name)
        {
            Description = description,
            HelpName = "N",
            CustomParser = result =>
            {
                var text = result.Tokens[0].Value;
                if (T.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number >= least)
                {
                    return number;
                }

                result.AddError(
                    string.Create(
                        CultureInfo.InvariantCulture, $"{name} is '{text}'; it takes a whole number from {least} to {T.MaxValue}."));
                return null;
            },
        };

    public static Option<string> DataFolder() => new("--data")
    {
        Description = "The folder the leases are kept in.",
        HelpName = "DIR",
        DefaultValueFactory = _ => "./data",
    };

    /// <summary>Readers and semaphores only: an exclusive lease has room for one.</summary>
    public static void CapacityNeedsShared(this Command command, Option<int?> capacity, Option<bool> shared) =>
        command.Validators.Add(result =>
        {
            if (result.GetResult(capacity) is not null && result.GetResult(shared) is null)
            {
                result.AddError("--capacity goes with --shared.");
            }
        });

    public static Option<TimeSpan?> HoldAtLeast() => Duration(
        "--hold-at-least", "How long others wait after the grant, however early the lease ends. [default: until it ends]");

    /// <summary>Delays, which no shared lease leaves.</summary>
    public static void ForExclusive(this Command command, Option<TimeSpan?> delay, Option<bool> shared) =>
        command.Validators.Add(result =>
        {
            if (result.GetResult(delay) is not null && result.GetResult(shared) is not null)
            {
                result.AddError($"{delay.Name} is for exclusive leases; leave out it or --shared.");
            }
        });

    public static string OwnerOrEnvironment(this ParseResult parsed, Option<string?> owner) =>
        parsed.GetValue(owner) ?? Environment.GetEnvironmentVariable("LEASES_OWNER")
        ?? throw new UsageException("Say who holds the lease with --owner NAME or LEASES_OWNER; `leases get RESOURCE` shows it.");

    public static string OwnerOrUnique(this ParseResult parsed, Option<string?> owner) =>
        parsed.GetValue(owner) ?? Environment.GetEnvironmentVariable("LEASES_OWNER")
        ?? $"{Environment.MachineName}/{Environment.ProcessId}-{Guid.NewGuid().ToString("N")[..8]}";

    private static TimeSpan? ParseDuration(ArgumentResult result)
    {
        var text = result.Tokens[0].Value;
        if (Durations.TryParse(text, out var duration)) return duration;
        var option = ((OptionResult)result.Parent!).Option;
        result.AddError($"{option.Name} is '{text}'; it takes a duration such as 500ms, 30s, 5m, 1h30m or 90d.");
        return null;
    }

    private static long ParseToken(ArgumentResult result)
    {
        var text = result.Tokens[0].Value;
        if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var token)) return token;
        result.AddError($"--token is '{text}'; it takes a whole number, as `leases acquire` printed it.");
        return 0;
    }
}

/// <summary>The three options that name the lease a key is bound to.</summary>
internal sealed class LeaseInput(string description)
{
    private readonly Option<string?> _resource = new("--lease") { Description = description, HelpName = "RESOURCE" };
    private readonly Option<string?> _owner = Inputs.Owner("With --lease, the holder. [default: LEASES_OWNER]");
    private readonly Option<long> _token = Inputs.Token(required: false);

    public void AddTo(Command command)
    {
        _token.Description = "With --lease, the token of the grant.";
        foreach (var option in new Option[] { _resource, _owner, _token }) command.Options.Add(option);
        command.Validators.Add(result =>
        {
            var named = IsNamed(result);
            if (named && result.GetResult(_token) is null) result.AddError("--lease goes with --token, which `leases acquire` printed.");
            if (!named && (result.GetResult(_token) is not null || result.GetResult(_owner) is not null))
            {
                result.AddError("--owner and --token go with --lease RESOURCE.");
            }
        });
    }

    public bool IsNamed(CommandResult result) => result.GetResult(_resource) is not null;

    public KeyLease? Of(ParseResult parsed) => parsed.GetValue(_resource) is { } resource
        ? new KeyLease { Resource = resource, Owner = parsed.OwnerOrEnvironment(_owner), Token = parsed.GetValue(_token) }
        : null;
}

/// <summary>The command line is wrong in a way that only shows when it runs. The message says what to write instead.</summary>
internal sealed class UsageException(string message) : Exception(message);
