using System.CommandLine;
using OrleansLeases.Cli.Connecting;
using OrleansLeases.Cli.Printing;

namespace OrleansLeases.Cli.Commands;

internal sealed class ProofKeysVerb : Verb
{
    public ProofKeysVerb()
        : base("proof-keys", "Retire the keys that sign proofs of tokens, where they have leaked.", "leases proof-keys retire") =>
        Subcommands.Add(new RetireProofKeysVerb());
}

internal sealed class RetireProofKeysVerb : ClientVerb
{
    public RetireProofKeysVerb()
        : base("retire", "Have a new key sign proofs, and nothing be proved by those of before.", "leases proof-keys retire")
    {
        Details =
        [
            "Within 7 minutes no fence takes a proof of before, if it reaches a server, and the servers can read their store. Holders then",
            "repeat their acquire with its request id, and get a proof by the new key. It takes the right 'admin'.",
        ];
        Formats = new();
    }

    protected override async Task<int> AskAsync(
        ServerConnection server, ParseResult parsed, Output output, CancellationToken cancellationToken) =>
        output.Print(
            await server.SendAsync(
                HttpMethod.Delete, "v1/proof-keys", body: null, LeaseJson.Default.RetiredProofKeys, cancellationToken),
            LeaseJson.Default.RetiredProofKeys,
            (keys, writer) =>
            {
                foreach (var id in keys.Retired) writer.WriteLine($"retired {id}");
                writer.WriteLine($"signing {keys.KeyId}");
            },
            server.Hint);
}
