using OrleansLeases.Embedded;

namespace OrleansLeases.Samples.Tests;

/// <summary>The example of docs/dotnet.md for leases in the own process.</summary>
public sealed class ReadmeExamples
{
    [Fact]
    public async Task OwnProcess_IsGrantedALease()
    {
        var told = new StringWriter();
        var console = Console.Out;
        Console.SetOut(told);
        try
        {
            // README: In your own process
            await using var leases = await EmbeddedLeases.OpenAsync("data");

            var result = await leases.AcquireAsync(new AcquireRequest
            {
                Resource = "orders/42",
                Owner = "worker-1",
                Ttl = TimeSpan.FromSeconds(30),
                Wait = TimeSpan.FromSeconds(10),
            });

            if (result.TryGetValue(out var grant, out var refusal))
                Console.WriteLine($"token {grant.Token}");
            else
                Console.WriteLine(refusal.Detail);

            // README: end
            Assert.Equal($"token {(await leases.GetAsync(new() { Resource = "orders/42" })).Value.LastToken}\n", told.ToString());
        }
        finally
        {
            Console.SetOut(console);
            // Where the tests are.
            Directory.Delete("data", recursive: true);
        }
    }
}
