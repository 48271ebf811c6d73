namespace OrleansLeases.Cli.Printing;

/// <summary>How results are printed.</summary>
internal enum OutputFormat
{
    /// <summary>For people.</summary>
    Text,

    /// <summary>For people with wide screens: with all columns.</summary>
    Wide,

    /// <summary>For scripts: a value alone, or names, a line each.</summary>
    Name,

    /// <summary>The JSON of the wire.</summary>
    Json,

    /// <summary>The same as YAML.</summary>
    Yaml,
}
