namespace OrleansLeases.Cli.Printing;

/// <summary>Rows of text whose columns line up, two spaces apart.</summary>
internal sealed class Columns
{
    private readonly List<(string[] Cells, bool IsHead)> _rows = [];
    private readonly List<int> _widths = [];
    private int _state = -1;

    public Columns Row(params string[] cells) => Add(cells, isHead: false);

    /// <summary>The names of the columns.</summary>
    public Columns Head(params string[] names)
    {
        _state = Array.FindIndex(names, name => name is "STATE" or "EVENT");
        return Add(names, isHead: true);
    }

    /// <summary>Writes the rows that are not written yet, no narrower than those before.</summary>
    public void WriteTo(TextWriter writer)
    {
        foreach (var (cells, _) in _rows)
        {
            while (_widths.Count < cells.Length) _widths.Add(0);
            foreach (var (column, cell) in cells.Index()) _widths[column] = Math.Max(_widths[column], TextWidth.Of(cell));
        }

        foreach (var (cells, isHead) in _rows)
        {
            var line = cells.Select((cell, column) => column == _state && !isHead
                ? Ink.State(TextWidth.Pad(cell, _widths[column]), writer)
                : TextWidth.Pad(cell, _widths[column]));
            var text = string.Join("  ", line).TrimEnd();
            writer.WriteLine(isHead ? Ink.Head(text, writer) : text);
        }

        _rows.Clear();
    }

    private Columns Add(string[] cells, bool isHead)
    {
        _rows.Add(([.. cells.Select(TerminalText.Show)], isHead));
        return this;
    }
}
