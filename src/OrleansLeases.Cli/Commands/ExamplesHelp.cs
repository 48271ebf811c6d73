using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace OrleansLeases.Cli.Commands;

/// <summary>The usual help, then the verb's details and examples.</summary>
internal sealed class ExamplesHelp(HelpAction usual) : SynchronousCommandLineAction
{
    public override int Invoke(ParseResult parseResult)
    {
        var code = usual.Invoke(parseResult);
        if (parseResult.CommandResult.Command is not Verb verb) return code;
        var output = parseResult.InvocationConfiguration.Output;
        Section("Details:", verb.Details);
        Section("Examples:", verb.Examples);
        return code;

        void Section(string title, IReadOnlyList<string> lines)
        {
            if (lines.Count == 0) return;
            output.WriteLine(title);
            foreach (var line in lines) output.WriteLine($"  {line}");
            output.WriteLine();
        }
    }
}
