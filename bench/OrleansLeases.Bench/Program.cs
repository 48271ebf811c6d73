using System.Runtime.InteropServices;
using OrleansLeases.Bench;
using OrleansLeases.Bench.Driving;
using OrleansLeases.Bench.Hosts;
using OrleansLeases.Bench.Measuring;
using OrleansLeases.Bench.Scenarios;

(string Name, Action<Bench> Run)[] scenarios =
[
    ("cycles", Cycles.Run),
    ("renewals", Renewals.Run),
    ("batch", BatchRenewals.Run),
    ("handover", HandOver.Run),
    ("watch", Watching.Run),
    ("expiry", MassExpiry.Run),
    ("keys", MassExpiry.RunWithKeys),
    ("scale", Scale.Run),
    ("client", ClientHandles.Run),
    ("access", Access.Run),
    ("telemetry", Telemetry.Run),
    ("flood", Flood.Run),
    ("sizing", Sizing.Run),
    ("users", Users.Run),
    ("orleans", OrleansEngine.Run),
    ("grains", GrainCalls.Run),
    ("batching", Batching.Run),
    ("takeover", Takeover.Run),
];

using var interrupted = new CancellationTokenSource();
using var onInterrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Interrupt);
using var onTerminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Interrupt);
using var onHangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, Interrupt);
try
{
    var options = Options.Parse(args);
    if (options.Help)
    {
        Console.WriteLine(Options.Usage);
        return 0;
    }

    if (options.Scenarios.FirstOrDefault(name => scenarios.All(scenario => scenario.Name != name)) is { } unknown)
        throw new BenchException($"unknown scenario {unknown}\n{Options.Usage}");
    if (!File.Exists(options.ServerProgram))
        throw new BenchException($"--server names no file: '{options.ServerProgram}'");

    if (options.Scenarios.FirstOrDefault(name => Silos.Needs(name) && Silos.Missing(options) is not null) is { } impossible)
        throw new BenchException($"{impossible} cannot run: {Silos.Missing(options)}");

    using var workspace = new Workspace(options.DataFolder);
    var report = new Report(Console.Out, Machine.Describe(workspace.Folder));
    report.Start();
    foreach (var (name, run) in scenarios.Where(scenario => options.Scenarios.Count == 0 || options.Scenarios.Contains(scenario.Name)))
    {
        using var loop = new EventLoop { Stop = interrupted.Token };
        using var bench = new Bench(loop, options, workspace, report);
        report.Scenario(name);
        if (Silos.Needs(name) && Silos.Missing(options) is { } missing)
            report.Note($"left out: {missing}");
        else
            run(bench);
    }

    report.Finish(options.JsonFile);
    var baseline = Baseline.Read(options.BaselineFile);
    var fell = options.Compare && !report.Compare(baseline);
    if (options.Record)
        report.Record(baseline);
    return fell ? 1 : 0;
}
catch (BenchException error)
{
    Console.Error.WriteLine($"bench: {error.Message}");
    return 1;
}
catch (OperationCanceledException)
{
    Console.Error.WriteLine("bench: interrupted");
    return 130;
}
catch (Exception error)
{
    Console.Error.WriteLine($"bench: {error}");
    return 1;
}
finally
{
    Children.KillAll();
}

void Interrupt(PosixSignalContext context)
{
    context.Cancel = true;
    interrupted.Cancel();
}
