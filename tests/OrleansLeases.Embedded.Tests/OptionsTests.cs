namespace OrleansLeases.Embedded.Tests;

/// <summary>Options out of bounds are refused when the service is made, by name, with the value and what it takes.</summary>
public sealed class OptionsTests
{
    public static TheoryData<string, string> Bad => new()
    {
        { "RenewalFactor", "0" },
        { "RenewalFactor", "101" },
        { "ClockSkew", "-00:00:00.0010000" },
        { "ClockSkew", "01:00:00.0010000" },
        { "Retain", "00:00:59" },
        { "Retain", "3651.00:00:00" },
        { "RetainByPrefix[tasks/]", "-00:01:00" },
        { "Limits.MinTtl", "00:00:00" },
        { "Limits.MaxTtl", "366.00:00:00" },
        { "Limits.MaxHolders", "0" },
        { "Limits.MaxWaiters", "-1" },
        { "Limits.MaxBatch", "0" },
    };

    [Theory]
    [MemberData(nameof(Bad))]
    public void InMemory_WithABadOption_NamesItAndItsValue(string name, string value)
    {
        var error = Assert.Throws<ArgumentOutOfRangeException>(() => EmbeddedLeases.InMemory(With(name, value)));

        Assert.Equal(name, error.ParamName);
        Assert.Contains($"EmbeddedLeaseOptions.{name} is {value}; it takes", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Grace_IsTheReserveAndTwiceTheSkew()
    {
        await using var one = EmbeddedLeases.InMemory(new EmbeddedLeaseOptions { RenewalFactor = 1, ClockSkew = TimeSpan.FromSeconds(3) });
        await using var standard = EmbeddedLeases.InMemory();

        Assert.Equal(TimeSpan.FromSeconds(6), (await one.InfoAsync()).Value.Grace);
        Assert.Equal(TimeSpan.FromSeconds(32), (await standard.InfoAsync()).Value.Grace);
    }

    private static EmbeddedLeaseOptions With(string name, string value)
    {
        var options = new EmbeddedLeaseOptions();
        var number = int.TryParse(value, System.Globalization.CultureInfo.InvariantCulture, out var parsed) ? parsed : 0;
        return name switch
        {
            "RenewalFactor" => options with { RenewalFactor = number },
            "ClockSkew" => options with { ClockSkew = Time() },
            "Retain" => options with { Retain = Time() },
            "RetainByPrefix[tasks/]" => options with { RetainByPrefix = new Dictionary<string, TimeSpan> { ["tasks/"] = Time() } },
            "Limits.MinTtl" => options with { Limits = new LeaseLimits { MinTtl = Time() } },
            "Limits.MaxTtl" => options with { Limits = new LeaseLimits { MaxTtl = Time() } },
            "Limits.MaxHolders" => options with { Limits = new LeaseLimits { MaxHolders = number } },
            "Limits.MaxWaiters" => options with { Limits = new LeaseLimits { MaxWaiters = number } },
            _ => options with { Limits = new LeaseLimits { MaxBatch = number } },
        };

        TimeSpan Time() => TimeSpan.Parse(value, System.Globalization.CultureInfo.InvariantCulture);
    }
}
