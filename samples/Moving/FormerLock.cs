namespace Moving;

/// <summary>The lock of before: here a file that one process has open at a time. It may be anything that has one owner.</summary>
internal static class FormerLock
{
    public static async Task<IAsyncDisposable> AcquireAsync(string path)
    {
        while (true)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
            }
        }
    }
}
