namespace OrleansLeases.Cli.Printing;

/// <summary>Says on standard error why a request was not fulfilled, and what can be done.</summary>
internal static class RefusalPrinter
{
    public static void Print(Refusal refusal, Wording wording, string? hint, TextWriter writer)
    {
        foreach (var line in refusal is Refusal.InvalidRequest invalid ? wording.Of(invalid) : [refusal.Detail])
            writer.WriteLine($"leases: {TerminalText.Show(line)}");
        switch (refusal)
        {
            case Refusal.Held held:
                var holders = new Columns();
                foreach (var holder in held.Holders)
                    holders.Row("", holder.Owner, LeasePrinter.Word(holder.Mode), $"{Durations.Format(holder.Remaining)} left");
                holders.WriteTo(writer);
                break;
            case Refusal.OutcomeUnknown { RequestId: { } requestId } when hint is null:
                writer.WriteLine(
                    $"The change may have happened. To find out, repeat the command with --request-id {TerminalText.Quote(requestId)}");
                break;
            case Refusal.OutcomeUnknown when hint is null:
                writer.WriteLine("It may have happened all the same; the command can be repeated safely.");
                break;
        }

        if (hint is not null) writer.WriteLine(TerminalText.Show(hint));
    }
}
