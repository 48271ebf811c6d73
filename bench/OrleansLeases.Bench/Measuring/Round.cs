namespace OrleansLeases.Bench.Measuring;

// What one load did in one round.
internal sealed record Round(long Operations, CpuSeconds Cpu, Samples Latency)
{
    public double Rate => Operations / Cpu.Elapsed.TotalSeconds;
}
