namespace OrleansLeases.Cli.Printing;

/// <summary>Rows of text whose columns line up, two spaces apart.</summary>
internal sealed class Columns
{
    private readonly List<string[]> _rows = [];

    public Columns Row(params string[] cells)
    {
        _rows.Add([.. cells.Select(TerminalText.Show)]);
        return this;
    }

    public void WriteTo(TextWriter writer)
    {
        if (_rows.Count == 0) return;
        var widths = Enumerable.Range(0, _rows.Max(row => row.Length))
            .Select(column => _rows.Max(row => column < row.Length ? TextWidth.Of(row[column]) : 0))
            .ToArray();
        foreach (var row in _rows)
            writer.WriteLine(string.Join("  ", row.Select((cell, column) => TextWidth.Pad(cell, widths[column]))).TrimEnd());
    }
}
