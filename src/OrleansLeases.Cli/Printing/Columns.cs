namespace OrleansLeases.Cli.Printing;

/// <summary>Rows of text whose columns line up, two spaces apart.</summary>
internal sealed class Columns
{
    private readonly List<string[]> _rows = [];
    private readonly List<int> _widths = [];

    public Columns Row(params string[] cells)
    {
        _rows.Add([.. cells.Select(TerminalText.Show)]);
        return this;
    }

    /// <summary>Writes the rows that are not written yet, no narrower than those before.</summary>
    public void WriteTo(TextWriter writer)
    {
        foreach (var row in _rows)
        {
            while (_widths.Count < row.Length) _widths.Add(0);
            foreach (var (column, cell) in row.Index()) _widths[column] = Math.Max(_widths[column], TextWidth.Of(cell));
        }

        foreach (var row in _rows)
            writer.WriteLine(string.Join("  ", row.Select((cell, column) => TextWidth.Pad(cell, _widths[column]))).TrimEnd());
        _rows.Clear();
    }
}
