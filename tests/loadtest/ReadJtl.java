import org.apache.jmeter.reporters.ResultCollector;
import org.apache.jmeter.samplers.SampleResult;
import org.apache.jmeter.save.CSVSaveService;
import org.apache.jmeter.util.JMeterUtils;
import org.apache.jmeter.visualizers.Visualizer;

/** Reads results with JMeter's own reader and prints what it understood of each sample, separated by tabs. */
public class ReadJtl {
    public static void main(String[] arguments) throws Exception {
        JMeterUtils.setJMeterHome(arguments[0]);
        JMeterUtils.loadJMeterProperties(arguments[0] + "/bin/jmeter.properties");
        CSVSaveService.processSamples(arguments[1], new Visualizer() {
            public void add(SampleResult sample) {
                System.out.println("sample\t" + sample.getStartTime() + "\t" + sample.getEndTime() + "\t"
                    + sample.getLatency() + "\t" + sample.getSampleLabel() + "\t" + sample.getResponseCode() + "\t"
                    + sample.isSuccessful() + "\t" + sample.getThreadName() + "\t" + sample.getAllThreads());
            }

            public boolean isStats() {
                return false;
            }
        }, new ResultCollector());
    }
}
