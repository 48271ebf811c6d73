using System.CommandLine;
using OrleansLeases.Cli.Connecting;
using OrleansLeases.Cli.Printing;

namespace OrleansLeases.Cli.Commands;

internal sealed class CounterVerb : Verb
{
    public CounterVerb()
        : base("counter", "Add to a key that is a number.", "leases counter add jobs/done", "leases counter add stock/apples --delta -3") =>
        Subcommands.Add(new AddVerb());

    private sealed class AddVerb : ClientVerb
    {
        private readonly Argument<string> _key = Inputs.Key();
        private readonly Option<long?> _delta = Inputs.Number("--delta", "How much; it may be negative. [default: 1]", long.MinValue);
        private readonly LeaseInput _lease = new(
            "Bind the key to this lease of the resource: it ends with it. [default: it stays bound to what it is]");
        private readonly Option<string?> _requestId = Inputs.RequestId();

        public AddVerb()
            : base(
                "add", "Add to a key and show the sum. A key that is not there counts as 0.",
                "leases counter add jobs/done",
                "leases counter add stock/apples --delta -3 --request-id order-42")
        {
            Arguments.Add(_key);
            Options.Add(_delta);
            _lease.AddTo(this);
            Options.Add(_requestId);
            Formats = new("the sum");
        }

        protected override async Task<int> AskAsync(
            ServerConnection server, ParseResult parsed, Output output, CancellationToken cancellationToken)
        {
            var request = new AddToCounterRequest
            {
                Delta = parsed.GetValue(_delta) ?? 1, Lease = _lease.Of(parsed), RequestId = parsed.GetValue(_requestId),
            };
            return output.Print(
                await server.Service.AddToCounterAsync(parsed.GetRequiredValue(_key), request, cancellationToken),
                LeaseJson.Default.CounterValue, KeyPrinter.Print, server.Hint, KeyPrinter.Alone);
        }
    }
}
