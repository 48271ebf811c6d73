using OrleansLeases.Mutants;

var root = AppContext.BaseDirectory;
while (!File.Exists(Path.Combine(root, "OrleansLeases.sln")))
    root = Path.GetDirectoryName(root) ?? throw new InvalidOperationException("Run this where it was built.");

List<Mutant> mutants;
try
{
    mutants = MutantList.Read(root);
}
catch (InvalidDataException wrong)
{
    Console.Error.WriteLine(wrong.Message);
    return 2;
}

var names = new List<string>(args);
string? kept = null;
if (names.IndexOf("--in") is var option and >= 0)
{
    kept = Path.GetFullPath(names[option + 1]);
    names.RemoveRange(option, 2);
}

if (names.Remove("--list"))
{
    foreach (var mutant in mutants) Console.WriteLine($"{mutant.Name,-50} {mutant.Breaks}");
    return 0;
}

if (names.Except(mutants.Select(mutant => mutant.Name)).ToList() is { Count: > 0 } unknown)
{
    Console.Error.WriteLine($"There is no mutant {string.Join(", ", unknown)}; see --list.");
    return 2;
}

if (names.Count > 0) mutants.RemoveAll(mutant => !names.Contains(mutant.Name));
var folder = kept ?? Directory.CreateTempSubdirectory("leases-mutants-").FullName;
try
{
    var workspace = new Workspace(root, folder);
    workspace.Copy();
    return new Hunt(root, workspace).Run(mutants) ? 0 : 1;
}
finally
{
    if (kept is null) Directory.Delete(folder, recursive: true);
}
